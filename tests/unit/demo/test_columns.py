"""Columns of a user's file: many types are read, no value is guessed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from demo.columns import AMOUNT, FLAG, INTEGER, TEXT, TIME, UnreadableTypeError, first_unreadable, read_values

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def chunked(values: list[Any], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (chunked([12.5, 0.29, None]), ["12.50", "0.29", None]),
        (chunked([7]), ["7.00"]),
        (chunked([Decimal("12.345"), Decimal(-1)]), ["12.34", "-1.00"]),
        (chunked(["12.50", " 3 ", "1e3", "0.30000000000000004"]), ["12.50", "3.00", "1000.00", "0.30"]),
        (chunked([None, None]), [None, None]),
    ],
    ids=["floats", "integers", "decimals", "text", "nothing"],
)
def test_amounts_become_exact_decimals_of_two_places(values: pa.ChunkedArray, expected: list[str | None]) -> None:
    read = read_values(values, AMOUNT).to_pylist()

    assert read == [None if text is None else Decimal(text) for text in expected]


@pytest.mark.parametrize("value", ["twelve", "1,200.00", "", float("nan"), float("inf"), 1e18, 2**62])
def test_an_amount_that_is_no_number_or_too_large_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_values(chunked([value]), AMOUNT)


@pytest.mark.parametrize(
    "values",
    [
        chunked([datetime(2024, 1, 1)]),  # noqa: DTZ001 - a naive time is the case
        chunked([NEW_YEAR], pa.timestamp("ns", "Europe/Madrid")),
        chunked([1_704_067_200], pa.int64()).cast(pa.timestamp("s")),
        chunked([date(2024, 1, 1)]),
        chunked(["2024-01-01"]),
        chunked(["2024-01-01 00:00:00"]),
        chunked(["2024-01-01T00:00:00.000000Z"]),
        chunked(["2024-01-01T02:00:00+02:00"]),
        chunked(["2023-12-31T19:00:00-0500"]),
    ],
    ids=["naive", "other zone", "seconds", "date", "day", "no offset", "Z", "offset", "short offset"],
)
def test_times_of_any_kind_become_utc(values: pa.ChunkedArray) -> None:
    assert read_values(values, TIME).to_pylist() == [NEW_YEAR]


def test_text_with_and_without_offset_may_stand_in_one_column() -> None:
    read = read_values(chunked(["2024-01-01", None, "2024-01-01T01:00:00+01:00"]), TIME)

    assert read.to_pylist() == [NEW_YEAR, None, NEW_YEAR]


@pytest.mark.parametrize("values", [chunked(["soon"]), chunked(["2024-13-01"]), chunked([10**15], pa.timestamp("s"))])
def test_a_time_that_no_calendar_has_is_refused(values: pa.ChunkedArray) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_values(values, TIME)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (chunked([17, None]), ["17", None]),
        (chunked([17.0, None]), ["17", None]),
        (chunked([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (chunked(["007"], pa.large_string()), ["007"]),
        (pa.chunked_array([pa.array(["a", "b", "a"]).dictionary_encode()]), ["a", "b", "a"]),
    ],
    ids=["integers", "integers that pandas made floats", "unsigned", "large text", "dictionary"],
)
def test_ids_become_text(values: pa.ChunkedArray, expected: list[str | None]) -> None:
    assert read_values(values, TEXT).to_pylist() == expected


@pytest.mark.parametrize("value", [1.5, "a\0b"])
def test_an_id_with_a_fraction_or_a_nul_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_values(chunked([value]), TEXT)


def test_whole_numbers_and_flags_may_be_written_as_text() -> None:
    assert read_values(chunked([" 42", "9000000000000"]), INTEGER).to_pylist() == [42, 9_000_000_000_000]
    assert read_values(chunked(["true", "0", "False"]), FLAG).to_pylist() == [True, False, False]


@pytest.mark.parametrize(
    ("values", "target"),
    [
        (chunked([b"x"]), TEXT),
        (chunked([True]), AMOUNT),
        (chunked([1]), TIME),
        (chunked([[1]]), INTEGER),
        (chunked([1.0]), FLAG),
    ],
)
def test_a_type_that_never_fits_is_refused_as_such(values: pa.ChunkedArray, target: pa.DataType) -> None:
    with pytest.raises(UnreadableTypeError):
        read_values(values, target)


@pytest.mark.parametrize("position", [0, 1, 4, 6])
def test_the_first_unreadable_value_is_found(position: int) -> None:
    values = ["1.00"] * 7
    values[position] = "x"

    assert first_unreadable(chunked([*values, "y"]), AMOUNT) == position
