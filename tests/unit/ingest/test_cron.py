"""Cron expressions mean what cron means by them."""

from datetime import UTC, datetime

import pytest

from services.ingest.adapters.cron import checked_cron, next_time

# A Wednesday.
START = datetime(2026, 3, 11, 12, tzinfo=UTC)


def days_of(expression: str) -> str:
    """The weekdays on which an expression fires within a week."""
    fired, moment = [], START
    while (moment := next_time(expression, moment) or START) < datetime(2026, 3, 18, 12, tzinfo=UTC):
        fired.append(moment.strftime("%a"))
    return " ".join(fired)


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("sun", "Sun"),
        ("1-5", "Thu Fri Mon Tue Wed"),
        ("mon-fri", "Thu Fri Mon Tue Wed"),
        ("fri-mon", "Fri Sat Sun Mon"),
        ("5-7", "Fri Sat Sun"),
        ("0,3", "Sun Wed"),
        ("*/2", "Thu Sat Sun Tue"),
        ("4/2", "Thu Sat"),
        ("*", "Thu Fri Sat Sun Mon Tue Wed"),
    ],
)
def test_weekdays_count_from_sunday_as_in_cron(weekday: str, days: str) -> None:
    assert days_of(f"0 3 * * {weekday}") == days


def test_times_are_utc_and_strictly_later() -> None:
    four = datetime(2026, 3, 12, 4, tzinfo=UTC)

    assert next_time("0 4 * * *", START) == four
    assert next_time("0 4 * * *", four) == datetime(2026, 3, 13, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 4 * *", "five fields"),
        ("", "five fields"),
        ("61 4 * * *", "no cron expression"),
        ("0 4 * * 8", "no day of the week"),
        ("0 4 * * day", "no day of the week"),
        ("0 4 1 * 1", "misleads"),
        ("0 0 31 2 *", "never comes"),
    ],
)
def test_a_wrong_expression_is_refused_with_what_is_wrong(expression: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        checked_cron(expression)
