"""Cron expressions of five fields, in UTC, by APScheduler, with the weekdays that cron means.

APScheduler counts weekdays from Monday = 0; cron counts from Sunday = 0, and takes 7 for Sunday too.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from apscheduler.triggers.cron import CronTrigger

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
WEEKDAYS = re.compile(r"(?P<first>\*|[0-7]|[a-z]{3})(-(?P<last>[0-7]|[a-z]{3}))?(/(?P<step>[1-7]))?")
# get_next_fire_time includes its own moment.
JUST_AFTER = timedelta(microseconds=1)
EXAMPLE = "e.g. '0 4 * * *' (minute, hour, day of month, month, day of week; UTC)"


def next_time(expression: str, after: datetime) -> datetime | None:
    """The first time strictly after a moment; None when there is none. ValueError for a wrong expression."""
    moment: datetime | None = cron_trigger(expression).get_next_fire_time(None, after + JUST_AFTER)
    return moment


def checked_cron(expression: str) -> str:
    """`expression` itself; ValueError, saying what is wrong, unless it names times that come."""
    if next_time(expression, datetime(2000, 1, 1, tzinfo=UTC)) is None:
        raise ValueError(f"{expression!r} names a time that never comes")
    return expression


@lru_cache(maxsize=32)
def cron_trigger(expression: str) -> CronTrigger:
    """APScheduler's trigger; ValueError for a wrong expression."""
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"must have five fields, {EXAMPLE}")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise ValueError("give a day of the month or a day of the week; cron takes both as either, which misleads")
    try:
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=UTC)
    except ValueError as error:
        raise ValueError(f"is no cron expression, {EXAMPLE}: {error}") from None


def _weekdays(field: str) -> str:
    if field == "*":
        return field
    chosen = {day for part in field.split(",") for day in _days_of(part)}
    return ",".join(DAYS[day] for day in sorted(chosen))


def _days_of(part: str) -> set[int]:
    match = WEEKDAYS.fullmatch(part.lower())
    if match is None:
        raise ValueError(f"{part!r} is no day of the week")
    first, last, step = match["first"], match["last"], int(match["step"] or 1)
    if first == "*":
        return set(range(0, 7, step))
    begin = _day(first)
    end = _day(last) if last else (begin if match["step"] is None else 6)
    if end < begin:
        end += 7
    return {day % 7 for day in range(begin, end + 1, step)}


def _day(name: str) -> int:
    if name.isdigit():
        return int(name)
    if name not in DAYS:
        raise ValueError(f"{name!r} is no day of the week")
    return DAYS.index(name)
