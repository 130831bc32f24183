"""A calendar of runs: one square a day, weeks from left to right, coloured by the worst that happened."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from afin.ingest.v1 import ingest_pb2 as pb
from console.views import words
from console.views.squares import BASELINE, Name, Square, Squares

WEEKS = 26
STEP, SIDE = 15, 13
LEFT, TOP = 32, 18
# Where the letters of a month stand.
ABOVE = 12
# The first that is among a day's runs colours it.
ORDER = ("failed", "running", "queued", "cancelled", "succeeded", words.UNKNOWN)


def calendar(runs: Sequence[pb.Run], today: date, are_all: bool = True) -> Squares:
    """The weeks up to `today`, of runs that begin with the newest; unless they `are_all`, older ones are not known."""
    monday = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    by_day: dict[date, list[pb.Run]] = defaultdict(list)
    for run in runs:
        begun = words.moment_of(run.created_at)
        if begun is not None:
            by_day[begun.date()].append(run)
    known = monday if are_all else max(monday, min(by_day, default=today))
    dates = [monday + timedelta(days=number) for number in range((today - monday).days + 1)]
    failed = sum(run.state == pb.RUN_STATE_FAILED for one in dates for run in by_day.get(one, ()))
    total = sum(len(by_day.get(one, ())) for one in dates)
    since = f"in the last {WEEKS} weeks" if known == monday else f"since {known}"
    return Squares(
        names=(*_weekdays(), *_months(monday, today)),
        squares=tuple(_day(one, monday, by_day.get(one, []) if one >= known else None) for one in dates),
        summary=f"{words.counted(total, 'run')} {since}, {failed} of them failed",
        width=LEFT + WEEKS * STEP,
        height=TOP + 7 * STEP,
        side=SIDE,
    )


def _day(one: date, monday: date, runs: Sequence[pb.Run] | None) -> Square:
    number = (one - monday).days
    x, y = LEFT + number // 7 * STEP, TOP + number % 7 * STEP
    if not runs:
        return Square(x, y, "empty", f"{one}: {'not among the newest runs' if runs is None else 'no run'}", "")
    states = [words.run_word(run.state) for run in runs]
    worst = next((word for word in ORDER if word in states), states[0])
    counts = ", ".join(f"{states.count(word)} {word}" for word in ORDER if word in states)
    return Square(x, y, worst, f"{one}: {counts}", runs[states.index(worst)].run_id)


def _weekdays() -> list[Name]:
    every_other = enumerate(("Mon", "Wed", "Fri", "Sun"))
    return [Name(0, TOP + 2 * number * STEP + BASELINE, name) for number, name in every_other]


def _months(monday: date, today: date) -> list[Name]:
    """Each above its first week."""
    weeks = [(week, monday + timedelta(weeks=week)) for week in range(WEEKS)]
    return [
        Name(LEFT + week * STEP, ABOVE, first.strftime("%b"))
        for week, first in weeks
        if first <= today and first.day <= 7
    ]
