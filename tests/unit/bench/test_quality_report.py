"""Figures of an evaluation."""

import numpy as np
import pytest

from bench.quality.report import Found, methods_figures
from services.indexer.domain.evaluation import Scores


def scores(ndcg: list[float], coverage: float = 0.5) -> Scores:
    values = np.array(ndcg)
    return Scores(values, values / 2, values / 3, np.ceil(values), coverage)


def test_each_method_is_told_by_task_and_against_popularity_and_ours_client_by_client() -> None:
    found: Found = {
        "afin": {"new": scores([0.4, 0.6]), "any": scores([0.9, 0.9])},
        "popularity": {"new": scores([0.2, 0.2]), "any": scores([0.5, 0.5])},
        "own_history": {"any": scores([0.8, 0.8], coverage=0.1)},
    }

    figures = methods_figures(found)

    assert {name: list(by_task) for name, by_task in figures.items()} == {
        "afin": ["new", "any"],
        "popularity": ["new", "any"],
        "own_history": ["any"],
    }
    ours = figures["afin"]["new"]
    assert ours["ndcg"] == pytest.approx(0.5)
    assert ours["ndcg_interval"] == pytest.approx([0.4, 0.6])
    assert (ours["recall"], ours["recall_capped"], ours["hit"]) == pytest.approx((0.25, 0.5 / 3, 1.0))
    assert (ours["coverage"], ours["clients"]) == (0.5, 2)
    assert ours["against_popularity"]["ndcg"] == pytest.approx(0.3)
    assert ours["against_popularity"]["interval"] == pytest.approx([0.2, 0.4])
    assert "against_afin" not in ours
    assert figures["own_history"]["any"]["against_afin"]["interval"] == pytest.approx([-0.1, -0.1])
