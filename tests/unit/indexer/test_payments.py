"""Payments as columns, pairs and the cut in time."""

import numpy as np
import pytest

from services.indexer.domain.payments import MICROSECONDS_A_DAY, pairs_of, split_by_time
from tests.unit.indexer.planted import START, payments


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [(0, 1, 3.0), (1, 0, 1.0), (0, 0, 2.0), (0, 1, 1.0)]

    one, other = payments(rows), payments(rows[::-1])

    assert one.client.tolist() == other.client.tolist() == [0, 0, 0, 1]
    assert one.company.tolist() == other.company.tolist() == [0, 1, 1, 0]
    assert one.at.tolist() == other.at.tolist()


def test_a_pair_knows_its_newest_payment() -> None:
    pairs = pairs_of(payments([(0, 0, 1), (0, 0, 5), (0, 1, 2), (1, 0, 3)]))

    assert list(zip(pairs.client.tolist(), pairs.company.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0)]
    assert ((pairs.last_at - START) // MICROSECONDS_A_DAY).tolist() == [5, 2, 3]
    assert pairs.pair_of_row.tolist() == [0, 0, 1, 2]


def test_no_payments_make_no_pairs() -> None:
    some = payments([(0, 0, 1)])

    pairs = pairs_of(some.where(np.array([False])))

    assert len(pairs) == 0
    assert len(pairs.last_at) == 0


def test_the_cut_lies_at_a_share_of_the_span_and_belongs_to_what_is_before() -> None:
    split = split_by_time(payments([(0, 0, 0), (0, 0, 8), (0, 0, 8.1), (0, 0, 10)]), 0.8)

    assert split.cut == START + 8 * MICROSECONDS_A_DAY
    assert (len(split.before), len(split.after)) == (2, 2)


def test_payments_of_one_moment_are_all_before_the_cut() -> None:
    split = split_by_time(payments([(0, 0, 4), (1, 0, 4)]), 0.8)

    assert (len(split.before), len(split.after)) == (2, 0)


def test_ranges_of_clients_hold_every_payment_once_and_in_order() -> None:
    known = payments([(client, client % 3, day) for client in range(10) for day in range(client % 4)], 3)

    parts = [known.between_clients(first, beyond) for first, beyond in known.client_ranges(4)]

    assert len(parts) == 4
    assert np.concatenate([part.client for part in parts]).tolist() == known.client.tolist()
    assert np.shares_memory(parts[1].at, known.at)


def test_there_are_no_more_ranges_than_clients() -> None:
    assert payments([(0, 0, 1), (2, 0, 1)]).client_ranges(64) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("day", [-20_000.0, 30_000.0])
def test_one_payment_of_another_age_does_not_stretch_the_period(day: float) -> None:
    rows = [(client, client % 7, client / 10) for client in range(1000)]

    period = payments([*rows, (0, 0, day)]).period

    assert 99 < period.span / MICROSECONDS_A_DAY < 100


def test_the_period_of_payments_that_lie_close_is_all_of_their_time() -> None:
    known = payments([(client, 0, client / 10) for client in range(1000)])

    assert (known.period.first, known.period.newest) == (known.first, known.newest)


def test_the_first_clients_are_taken_whole_and_no_more_of_them_than_asked_for() -> None:
    known = payments([(client, day, day) for client in range(5) for day in range(4)])

    some = known.of_first_clients(11)

    assert some.client.tolist() == [0] * 4 + [1] * 4
    assert (some.clients, some.companies) == (2, 4)


def test_one_client_is_taken_however_many_its_payments() -> None:
    assert len(payments([(client, 0, day) for client in range(2) for day in range(9)]).of_first_clients(3)) == 9


def test_all_clients_are_taken_when_there_are_few_payments() -> None:
    known = payments([(0, 0, 1), (1, 0, 1)])

    assert known.of_first_clients(2) is known
