"""How likely clients are to come back."""

import numpy as np
import pytest

from services.indexer.domain.habits import learn_habits
from services.indexer.domain.payments import Payments, pairs_of
from services.indexer.domain.weighting import Floats, strengths
from tests.unit.indexer.planted import payments

CLIENTS = 150
MONTHLY, ONCE, GIVEN_UP = 0, 1, 2


def subscribers() -> Payments:
    """Each client pays one company every ten days, one once, and one often but only in the first third of the time."""
    rng = np.random.default_rng(4)
    rows: list[tuple[int, int, float]] = []
    for client in range(CLIENTS):
        start = rng.random() * 10
        rows += [(client, MONTHLY, start + 10 * number) for number in range(10)]
        rows += [(client, ONCE, rng.random() * 95)]
        rows += [(client, GIVEN_UP, start + 3 * number) for number in range(9)]
    return payments(rows)


def of_all(rows: Payments) -> Floats:
    return learn_habits(rows).of(rows, pairs_of(rows))


def test_companies_are_ordered_by_whether_clients_come_back() -> None:
    chances = of_all(subscribers()).reshape(CLIENTS, 3)

    assert (chances[:, MONTHLY] > chances[:, ONCE]).mean() > 0.95
    assert (chances[:, MONTHLY] > chances[:, GIVEN_UP]).mean() > 0.95


def test_chances_are_those_of_paying_again() -> None:
    chances = of_all(subscribers()).reshape(CLIENTS, 3).mean(axis=0)

    assert chances[MONTHLY] > 0.8
    assert chances[GIVEN_UP] < 0.2
    assert ((chances >= 0) & (chances <= 1)).all()


def test_clients_looked_at_apart_have_the_chances_that_they_have_together() -> None:
    rows = subscribers()
    learnt = learn_habits(rows)

    apart = [learnt.of(part, pairs_of(part)) for part in rows.by_clients()]

    assert np.concatenate(apart) == pytest.approx(of_all(rows))


def test_too_few_examples_leave_the_strengths_of_habits() -> None:
    rows = payments([(0, 0, 1.0), (0, 1, 2.0), (0, 0, 9.0), (1, 1, 10.0)])

    assert of_all(rows).tolist() == strengths(rows.period, rows, pairs_of(rows)).tolist()


def test_payments_of_one_moment_are_borne() -> None:
    rows = payments([(client, company, 5.0) for client in range(60) for company in range(3)])

    assert np.isfinite(of_all(rows)).all()
