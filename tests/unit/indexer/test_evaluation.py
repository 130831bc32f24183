"""The protocol of evaluation, by hand."""

import math

import numpy as np
import pytest

from services.indexer.domain.evaluation import (
    LIST_LENGTH,
    Panel,
    interval,
    judge,
    popular_lists,
    relevant_companies,
    score_lists,
)
from services.indexer.domain.model import Shape, prepare
from services.indexer.domain.payments import Split, split_by_time
from tests.unit.contracts.test_ranking import exactly_nearest
from tests.unit.indexer.planted import payments, planted

# Before day 8: client 0 pays 0 and 1, client 1 pays 1 and 2. After it: old, new and unheard-of ones.
BEFORE = [(0, 0, 0.0), (0, 1, 1.0), (1, 1, 2.0), (1, 2, 3.0)]
AFTER = [(0, 1, 9.0), (0, 2, 9.0), (0, 3, 9.0), (1, 2, 9.5), (2, 0, 10.0)]


@pytest.fixture
def split() -> Split:
    return split_by_time(payments(BEFORE + AFTER), 0.8)


def test_new_are_companies_never_paid_before_the_cut(split: Split) -> None:
    assert relevant_companies(split, "new") == {0: frozenset({2})}


def test_any_are_repeats_too(split: Split) -> None:
    assert relevant_companies(split, "any") == {0: frozenset({1, 2}), 1: frozenset({2})}


def test_a_hit_in_the_first_place_of_one_relevant_company_scores_one() -> None:
    scores = score_lists([[7, 8, 9]], [frozenset({7})], 100)

    assert (scores.ndcg.tolist(), scores.recall.tolist(), scores.hit.tolist()) == ([1.0], [1.0], [1.0])


def test_later_places_count_less() -> None:
    scores = score_lists([[1, 7, 2, 8]], [frozenset({7, 8, 9})], 100)

    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert scores.ndcg.tolist() == pytest.approx([(1 / math.log2(3) + 1 / math.log2(5)) / ideal])
    assert scores.recall.tolist() == pytest.approx([2 / 3])


def test_more_relevant_companies_than_places_can_still_score_one() -> None:
    scores = score_lists([list(range(10))], [frozenset(range(25))], 100)

    assert scores.ndcg.tolist() == pytest.approx([1.0])
    assert scores.recall.tolist() == pytest.approx([10 / 25])


def test_a_list_without_hits_scores_nothing() -> None:
    scores = score_lists([[1], []], [frozenset({2}), frozenset({3})], 100)

    assert scores.ndcg.tolist() == scores.recall.tolist() == scores.hit.tolist() == [0.0, 0.0]


def test_coverage_counts_distinct_companies() -> None:
    assert score_lists([[1, 2], [2, 3]], [frozenset({1}), frozenset({2})], 12).coverage == 3 / 12


def test_the_interval_holds_the_mean_and_narrows_with_more_clients() -> None:
    rng = np.random.default_rng(5)
    few, many = rng.random(30), rng.random(3000)

    (low, high), (closer_low, closer_high) = interval(few), interval(many)

    assert low < few.mean() < high
    assert closer_high - closer_low < (high - low) / 5


def test_the_interval_of_equal_values_is_the_value() -> None:
    assert interval(np.full(9, 0.25)) == (0.25, 0.25)


def test_popularity_leaves_out_paid_companies_when_new_ones_are_asked_for(split: Split) -> None:
    model = prepare(split.before, np.unique(split.before.company), Shape(8, 2, 0)).model(3.0)

    assert popular_lists(model, [0, 1], "new") == [[2], [0]]
    assert popular_lists(model, [0], "any") == [[1, 0, 2]]


def test_without_a_client_to_judge_by_there_is_no_quality() -> None:
    split = split_by_time(payments([(0, 0, 1.0), (1, 0, 1.0)]), 0.8)
    model = prepare(split.before, np.array([0]), Shape(8, 2, 0)).model(3.0)

    quality = judge(model, split, lambda vectors: exactly_nearest(vectors[:, :-1]), Panel(100, 0))

    assert quality.new is None
    assert quality.any is None


def test_the_gain_is_the_difference_to_popularity_client_by_client() -> None:
    split = split_by_time(planted(), 0.8)
    model = prepare(split.before, np.unique(split.before.company), Shape(16, 2, 0)).model(3.0)

    new = judge(model, split, lambda vectors: exactly_nearest(vectors[:, :-1]), Panel(1000, 0)).new

    assert new is not None
    assert new.gain == pytest.approx(new.ndcg - new.popularity_ndcg)
    assert new.gain_low <= new.gain <= new.gain_high
    assert new.ndcg_low <= new.ndcg <= new.ndcg_high
    assert new.clients == len(relevant_companies(split, "new"))


def test_a_panel_bounds_the_clients_and_chooses_the_same_ones_again() -> None:
    relevant = {client: frozenset({client}) for client in range(0, 300, 3)}

    chosen = Panel(LIST_LENGTH, 7).of(relevant)

    assert len(chosen) == LIST_LENGTH
    assert chosen.items() <= relevant.items()
    assert chosen == Panel(LIST_LENGTH, 7).of(relevant)
    assert chosen != Panel(LIST_LENGTH, 8).of(relevant)
