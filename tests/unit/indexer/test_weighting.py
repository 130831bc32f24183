"""Decay of payments by their age."""

import math

import numpy as np
import pytest

from services.indexer.domain.payments import pairs_of
from services.indexer.domain.weighting import RECENCY_FLOOR, damped, newcomers, popularity, recency, strengths, trend
from tests.unit.indexer.planted import payments


def test_the_newest_payment_of_a_pair_decides_its_weight() -> None:
    rows = payments([(0, 0, 0), (0, 1, 5), (0, 2, 10), (0, 0, 10)])

    weights = recency(rows.period, pairs_of(rows), 0.5)

    assert weights.tolist() == pytest.approx([1 + RECENCY_FLOOR, math.exp(-1) + RECENCY_FLOOR, 1 + RECENCY_FLOOR])


def test_without_decay_all_pairs_weigh_alike() -> None:
    rows = payments([(0, 0, 0), (0, 1, 5)])

    assert recency(rows.period, pairs_of(rows), None).tolist() == [1.0, 1.0]


def test_payments_of_one_moment_weigh_alike() -> None:
    rows = payments([(0, 0, 3), (1, 1, 3)])

    assert recency(rows.period, pairs_of(rows), 0.5).tolist() == pytest.approx([1 + RECENCY_FLOOR] * 2)


def test_a_clients_strongest_habit_is_one_and_the_others_are_less() -> None:
    rows = payments([(0, 0, 10), (0, 0, 9), (0, 1, 10), (1, 1, 0)])

    strength = strengths(rows.period, rows, pairs_of(rows))

    fresh = 1 + math.exp(-1 / 4)
    assert strength.tolist() == pytest.approx([1.0, math.log1p(1) / math.log1p(fresh), 1.0])


def test_damping_shrinks_with_the_count_and_leaves_nothing_alone() -> None:
    assert damped(np.array([0, 1, 16]), 0.25).tolist() == pytest.approx([1.0, 1.0, 0.5])


def test_popularity_lies_about_zero_and_grows_with_the_clients() -> None:
    found = popularity(np.array([1, 3, 7]))

    assert found.mean() == pytest.approx(0.0)
    assert found.std() == pytest.approx(1.0)
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("clients", [[], [5], [4, 4]])
def test_companies_of_as_many_clients_are_as_popular(clients: list[int]) -> None:
    assert not popularity(np.array(clients, dtype=np.int64)).any()


def test_a_client_is_a_newcomer_by_its_first_payment() -> None:
    rows = payments([(0, 0, 0), (0, 0, 10), (1, 0, 10)])
    pairs = pairs_of(rows)

    found = newcomers(rows.period, rows.at[pairs.first_rows])

    assert found.tolist() == pytest.approx([math.exp(-1 / 0.4), 1.0])


def test_a_company_whose_clients_are_as_old_as_others_has_no_trend() -> None:
    assert trend(np.array([1.0, 2.0, 4.0]), np.array([2, 4, 8])).tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_newer_clients_are_a_trend_and_a_few_of_them_a_weaker_one() -> None:
    few, many, usual, other = trend(np.array([2.0, 20.0, 5.0, 5.0]), np.array([2, 20, 50, 50]))

    assert many > few > usual == other


def test_of_no_companies_there_is_no_trend() -> None:
    assert len(trend(np.empty(0), np.empty(0, dtype=np.int64))) == 0
