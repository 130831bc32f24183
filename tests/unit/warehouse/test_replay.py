"""The order of a replay is that of the ledger; what is doubtful about it is told before anything is applied."""

import pytest

from services.warehouse.domain.replay import DoubtfulOrder, in_order, missing_places
from tests.receipts import a_receipt

LOAD, CATALOGUE = a_receipt(load_id="a", sequence=2), a_receipt(load_id="b", sequence=1, update_sequence=3)


def test_loads_and_updates_stand_in_one_order() -> None:
    entries = in_order([LOAD, CATALOGUE])

    told = [(entry.place, entry.receipt.load_id, entry.is_update) for entry in entries]
    assert told == [(1, "b", False), (2, "a", False), (3, "b", True)]


def test_a_lake_without_receipts_has_nothing_to_replay() -> None:
    assert in_order([]) == []


def test_a_place_that_nothing_takes_is_named() -> None:
    with pytest.raises(DoubtfulOrder, match=r"place 2, 4, 5, 6, 7, … of 9; restore it, or use --skip-missing"):
        in_order([CATALOGUE, a_receipt(load_id="c", sequence=9)])


def test_missing_places_can_be_left_out() -> None:
    entries = in_order([CATALOGUE, a_receipt(load_id="c", sequence=5)], skip_missing=True)

    assert [entry.place for entry in entries] == [1, 3, 5]
    assert missing_places(entries) == [2, 4]


@pytest.mark.parametrize("skip_missing", [False, True])
def test_two_entries_of_one_place_are_both_named(*, skip_missing: bool) -> None:
    with pytest.raises(DoubtfulOrder, match="loads 'c' and 'b' both take place 3"):
        in_order([LOAD, CATALOGUE, a_receipt(load_id="c", sequence=3)], skip_missing=skip_missing)
