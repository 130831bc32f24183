"""How values are said, and how moments are read."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from afin.ingest.v1 import ingest_pb2
from cli import words
from cli.ending import WrongUse
from services.runtime.timestamps import timestamp_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-06-01", NOON.replace(hour=23, minute=59, second=59, microsecond=999_999)),
        ("2026-06-01T12:00:00", NOON),
        ("2026-06-01T12:00:00Z", NOON),
        ("2026-06-01T14:00:00+02:00", NOON),
    ],
)
def test_a_day_means_its_end_and_a_moment_without_an_offset_utc(text: str, told: datetime) -> None:
    assert words.timestamp(text) == timestamp_of(told)


def test_no_moment_is_none_and_nonsense_is_refused() -> None:
    assert words.timestamp("") is None
    with pytest.raises(WrongUse, match="'soon' is no moment; write"):
        words.timestamp("soon")


@pytest.mark.parametrize(
    ("length", "told"), [(1.44, "1.4 s"), (119, "119.0 s"), (120, "2.0 min"), (9000, "2.5 h"), (3 * 86_400, "3.0 d")]
)
def test_a_length_of_time_is_told_in_the_largest_unit_that_tells_it(length: float, told: str) -> None:
    assert words.seconds(length) == told


def test_sizes_are_told_by_1024() -> None:
    assert [words.size(octets) for octets in (1023, 1536, 3 * 2**30)] == ["1023 B", "1.5 KiB", "3.0 GiB"]


def test_what_is_not_set_is_a_dash() -> None:
    noon = timestamp_of(NOON)
    later = timestamp_of(NOON + timedelta(seconds=3))
    assert noon is not None
    assert later is not None
    assert (words.moment(Timestamp()), words.moment(noon)) == ("-", "2026-06-01 12:00:00Z")
    assert (words.between(noon, Timestamp()), words.between(noon, later)) == ("-", "3.0 s")


def test_a_value_that_this_version_does_not_know_is_told_by_its_number() -> None:
    name = ingest_pb2.RunState.Name
    assert words.name_of(name, ingest_pb2.RUN_STATE_FAILED, "RUN_STATE_") == "failed"
    assert words.name_of(name, 99, "RUN_STATE_") == "99"


def test_a_text_of_somebody_elses_becomes_one_line() -> None:
    assert words.shortened("one\n  two") == "one two"
    assert words.shortened("x" * 100, 10) == "x" * 9 + "…"
