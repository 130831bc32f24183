"""How times, sizes and lengths of time read."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from console.views import words

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (timedelta(milliseconds=40), "0.0 s"),
        (timedelta(seconds=1.44), "1.4 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=200), "3 min 20 s"),
        (timedelta(minutes=45, seconds=10), "45 min"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=12, hours=3), "12 d"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_unit(length: timedelta, told: str) -> None:
    assert words.span(length) == told


@pytest.mark.parametrize(
    ("at", "told"),
    [(NOW, "now"), (NOW - timedelta(minutes=3, seconds=50), "3 min ago"), (NOW + timedelta(hours=30), "in 1 d")],
)
def test_a_moment_is_told_by_how_far_away_it_is(at: datetime, told: str) -> None:
    assert words.relative(at, NOW) == told


def test_a_time_that_is_not_set_is_a_dash() -> None:
    assert (words.moment(Timestamp()), words.relative(Timestamp(), NOW)) == ("–", "")


def test_a_timestamp_is_told_in_utc() -> None:
    assert words.moment(Timestamp(seconds=int(NOW.timestamp()))) == "2026-12-01 12:00:00"


def test_moments_side_by_side_are_told_by_the_time_of_day_where_all_are_of_one_day() -> None:
    noon, later = Timestamp(seconds=int(NOW.timestamp())), Timestamp(seconds=int(NOW.timestamp()) + 3600)
    tomorrow = Timestamp(seconds=int(NOW.timestamp()) + 86_400)

    assert words.beside([noon, later]) == ["12:00", "13:00"]
    assert words.beside([noon, Timestamp(), tomorrow]) == ["01 Dec", "", "02 Dec"]


def test_sizes_are_told_by_thousands() -> None:
    assert [words.size(octets) for octets in (999, 1500, 2_340_000)] == ["999 B", "1.5 kB", "2.3 MB"]
