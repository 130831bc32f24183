"""Decay of payments by their age."""

import math

import numpy as np
import pytest

from services.indexer.domain.payments import pairs_of
from services.indexer.domain.weighting import RECENCY_FLOOR, damped, habits, recency
from tests.unit.indexer.planted import payments


def test_the_newest_payment_of_a_pair_decides_its_weight() -> None:
    known = payments([(0, 0, 0), (0, 1, 5), (0, 2, 10), (0, 0, 10)])

    weights = recency(known.period, pairs_of(known))

    assert weights.tolist() == pytest.approx([1 + RECENCY_FLOOR, math.exp(-1) + RECENCY_FLOOR, 1 + RECENCY_FLOOR])


def test_payments_of_one_moment_weigh_alike() -> None:
    known = payments([(0, 0, 3), (1, 1, 3)])

    assert recency(known.period, pairs_of(known)).tolist() == pytest.approx([1 + RECENCY_FLOOR] * 2)


def test_a_clients_strongest_habit_is_one_and_the_others_are_less() -> None:
    known = payments([(0, 0, 10), (0, 0, 9), (0, 1, 10), (1, 1, 0)])

    strength = habits(known.period, known, pairs_of(known))

    fresh = 10 * (1 + math.exp(-1 / 2.5))
    assert strength.tolist() == pytest.approx([1.0, math.log1p(10) / math.log1p(fresh), 1.0])


def test_habits_are_finite_where_all_payments_are_so_old_that_nothing_is_left_of_them() -> None:
    known = payments([(0, 0, 0), (1, 0, 1e6)])

    strength = habits(known.period, known, pairs_of(known))

    assert np.isfinite(strength).all()
    assert strength.max() <= 1.0


def test_damping_shrinks_with_the_count_and_leaves_nothing_alone() -> None:
    assert damped(np.array([0, 1, 16]), 0.25).tolist() == pytest.approx([1.0, 1.0, 0.5])
