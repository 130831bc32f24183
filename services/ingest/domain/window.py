"""From which day a pass reads, and how far its rows may move the watermark."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FIRST_WINDOW = timedelta(days=30)
ONE_DAY = timedelta(days=1)
# Servers behind one address may differ by this much; a watermark further ahead than this was set by a wrong clock.
CLOCK_TOLERANCE = timedelta(minutes=1)
# Of the years that a payment may be of.
LAST_DAY = date(9998, 12, 31)
LONGEST_BACKFILL = timedelta(days=20 * 366)


@dataclass(frozen=True, slots=True)
class WindowRules:
    """`first_day`: what the first pass asks for (None: 30 days before it); `overlap`: how far later ones go back."""

    first_day: date | None
    overlap: timedelta


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days in UTC, both included."""

    first: date
    last: date

    def holds(self, moment: datetime) -> bool:
        """Whether an aware moment lies within the days."""
        return self.first <= moment.astimezone(UTC).date() <= self.last

    @property
    def since(self) -> date:
        """What to ask the source for: a day earlier covers every reading of "updated after"."""
        return self.first - ONE_DAY

    def problem(self, today: date) -> str | None:
        """What is wrong with its last day, so that it cannot be read again; None when it can."""
        if self.last < self.first:
            return "lies before first_day"
        if self.last > today:
            return f"lies in the future; today is {today.isoformat()} (UTC)"
        if self.last - self.first > LONGEST_BACKFILL:
            return "lies more than 20 years after first_day; take several backfills"
        return None


def since_day(watermark: datetime | None, logical_time: datetime, rules: WindowRules) -> date:
    """The date that a pass asks the source for: payments updated after it."""
    if watermark is None:
        return rules.first_day or (logical_time.astimezone(UTC) - FIRST_WINDOW).date()
    return (watermark.astimezone(UTC) - rules.overlap).date() - ONE_DAY


def all_days(oldest: datetime | None, logical_time: datetime, rules: WindowRules) -> DayRange:
    """What a full pass is about: all since the oldest day known, or since the first day of the rules if it is earlier.

    No day earlier: each full pass would take in rows that nobody asked for, and the next one begin before them.
    """
    oldest_day = None if oldest is None else oldest.astimezone(UTC).date()
    known = [day for day in (oldest_day, rules.first_day) if day is not None]
    return DayRange(min(known, default=since_day(None, logical_time, rules)), LAST_DAY)


def is_ahead(watermark: datetime | None, source_time: datetime) -> bool:
    """Whether a watermark lies beyond the source's clock, so that rows between the two would be skipped."""
    return watermark is not None and watermark > source_time + CLOCK_TOLERANCE


def reached_watermark(newest: datetime | None, source_time: datetime) -> datetime | None:
    """How far a pass brings the watermark: its newest valid row, never beyond the source's time at its start."""
    return None if newest is None else min(newest, source_time)
