"""Payments as columns, pairs and the cut in time."""

import numpy as np

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
