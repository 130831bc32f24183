"""From which day a pass reads, and how far the watermark may move."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from services.ingest.domain.window import (
    CLOCK_TOLERANCE,
    DayRange,
    WindowRules,
    all_days,
    is_ahead,
    reached_watermark,
    since_day,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULES = WindowRules(first_day=None, overlap=timedelta(hours=48))


def test_the_first_pass_begins_thirty_days_before_the_run() -> None:
    assert since_day(None, NOON, RULES) == date(2026, 2, 8)


def test_the_first_pass_begins_at_the_configured_day() -> None:
    assert since_day(None, NOON, WindowRules(date(2014, 1, 1), timedelta(0))) == date(2014, 1, 1)


@pytest.mark.parametrize(
    ("watermark", "since"),
    [
        (datetime(2026, 3, 10, 12, tzinfo=UTC), date(2026, 3, 7)),
        (datetime(2026, 3, 10, 0, tzinfo=UTC), date(2026, 3, 7)),
        (datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC), date(2026, 3, 6)),
    ],
)
def test_later_passes_go_back_by_overlap_and_a_day_whatever_after_means(watermark: datetime, since: date) -> None:
    assert since_day(watermark, NOON, WindowRules(date(2014, 1, 1), timedelta(hours=48))) == since


@pytest.mark.parametrize(
    ("oldest", "first_day", "first"),
    [
        (datetime(2026, 3, 1, 0, tzinfo=UTC), None, date(2026, 3, 1)),
        (datetime(2026, 3, 1, 0, tzinfo=UTC), date(2026, 3, 4), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 0, tzinfo=UTC), date(2014, 1, 1), date(2014, 1, 1)),
        (datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), None, date(2026, 2, 28)),
        (None, date(2014, 1, 1), date(2014, 1, 1)),
        (None, None, date(2026, 2, 8)),
    ],
)
def test_a_full_pass_begins_with_all_that_is_known_and_all_that_was_asked_for(
    oldest: datetime | None, first_day: date | None, first: date
) -> None:
    days = all_days(oldest, NOON, WindowRules(first_day, timedelta(hours=48)))

    assert (days.first, days.since) == (first, first - timedelta(days=1))
    assert days.holds(datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC))


def test_the_day_is_taken_in_utc() -> None:
    late_in_lima = datetime(2026, 3, 9, 22, tzinfo=timezone(timedelta(hours=-5)))

    assert since_day(late_in_lima, NOON, WindowRules(None, timedelta(0))) == date(2026, 3, 9)


def test_a_watermark_beyond_the_sources_clock_is_ahead() -> None:
    assert is_ahead(NOON + CLOCK_TOLERANCE + timedelta(seconds=1), NOON)


@pytest.mark.parametrize("watermark", [None, NOON, NOON + CLOCK_TOLERANCE])
def test_a_watermark_up_to_the_sources_clock_is_not_ahead(watermark: datetime | None) -> None:
    assert not is_ahead(watermark, NOON)


@pytest.mark.parametrize(
    ("newest", "reached"),
    [
        (None, None),
        (NOON - timedelta(hours=1), NOON - timedelta(hours=1)),
        (NOON + timedelta(seconds=30), NOON),
    ],
)
def test_a_pass_reaches_its_newest_row_but_not_beyond_its_start(
    newest: datetime | None, reached: datetime | None
) -> None:
    assert reached_watermark(newest, NOON) == reached


def test_a_range_holds_its_days_from_first_to_last_midnight() -> None:
    days = DayRange(date(2026, 1, 1), date(2026, 1, 2))

    assert days.holds(datetime(2026, 1, 1, tzinfo=UTC))
    assert days.holds(datetime(2026, 1, 2, 23, 59, 59, 999999, tzinfo=UTC))
    assert not days.holds(datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    assert not days.holds(datetime(2026, 1, 3, tzinfo=UTC))


def test_a_range_asks_the_source_for_the_day_before() -> None:
    assert DayRange(date(2026, 1, 1), date(2026, 1, 2)).since == date(2025, 12, 31)


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "before first_day"),
        (date(2026, 1, 1), date(2026, 3, 11), "in the future"),
        (date(2005, 1, 1), date(2026, 1, 1), "more than 20 years"),
    ],
)
def test_a_range_that_cannot_be_read_again_says_why(first: date, last: date, problem: str) -> None:
    assert problem in (DayRange(first, last).problem(NOON.date()) or "")


def test_a_range_up_to_today_has_no_problem() -> None:
    assert DayRange(date(2026, 3, 10), date(2026, 3, 10)).problem(NOON.date()) is None
