"""A model judged beside popularity."""

import numpy as np
import pytest

from services.indexer.domain.evaluation import TASKS, relevant_companies
from services.indexer.domain.judging import Judgement, judge, popular_lists
from services.indexer.domain.model import Model, Shape, prepare
from services.indexer.domain.payments import Payments, Split, split_by_time
from tests.unit.contracts.test_ranking import exactly_nearest
from tests.unit.indexer.planted import USUAL, known, payments, planted

ROWS = [(0, 0, 0.0), (0, 1, 1.0), (1, 1, 2.0), (1, 2, 3.0), (0, 1, 9.0), (0, 2, 9.0), (1, 2, 9.5), (2, 0, 10.0)]


def judged(rows: Payments, limit: int = 1000) -> tuple[Judgement, Split]:
    split = split_by_time(rows, 0.8)
    return judge(model_of(split), split, lambda vectors: exactly_nearest(vectors[:, :-1]), limit), split


def model_of(split: Split) -> Model:
    listed = np.unique(split.before.company).astype(np.int64)
    return prepare(known(split.before, listed), Shape(16, 2, 0), USUAL.decay).model(USUAL)


def test_popularity_leaves_out_paid_companies_when_new_ones_are_asked_for() -> None:
    model = model_of(split_by_time(payments(ROWS), 0.8))

    assert popular_lists(model, [0, 1], "new") == [[2], [0]]
    assert popular_lists(model, [0], "any") == [[1, 0, 2]]


def test_without_a_client_to_judge_by_there_is_no_quality() -> None:
    judgement, _ = judged(payments([(0, 0, 1.0), (1, 0, 1.0)]))

    assert (judgement.quality.new, judgement.quality.any) == (None, None)
    assert (judgement.clients.shape, judgement.ndcg.shape) == ((0,), (0, 2))


def test_the_gain_is_the_difference_to_popularity_client_by_client() -> None:
    judgement, split = judged(planted())

    new = judgement.quality.new
    assert new is not None
    assert new.gain == pytest.approx(new.ndcg - new.popularity_ndcg)
    assert new.gain_low <= new.gain <= new.gain_high
    assert new.ndcg_low <= new.ndcg <= new.ndcg_high
    assert new.clients == len(relevant_companies(split, "new"))


def test_what_each_client_showed_is_kept() -> None:
    judgement, split = judged(planted())

    quality = judgement.quality
    assert quality.new is not None
    assert quality.any is not None
    assert np.nanmean(judgement.ndcg, axis=0) == pytest.approx([quality.new.ndcg, quality.any.ndcg], abs=1e-6)
    for column, task in enumerate(TASKS):
        judged_by_it = judgement.clients[~np.isnan(judgement.ndcg[:, column])]
        assert judged_by_it.tolist() == list(relevant_companies(split, task))


def test_a_panel_bounds_who_judges() -> None:
    judgement, _ = judged(planted(), limit=7)

    assert judgement.quality.new is not None
    assert judgement.quality.new.clients == np.sum(~np.isnan(judgement.ndcg[:, 0])) == 7
