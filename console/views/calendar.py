"""A calendar of runs: one square a day, weeks from left to right, coloured by the worst that happened."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from afin.ingest.v1 import ingest_pb2 as pb
from console.views import words

WEEKS = 26
STEP = 15
LEFT, TOP = 32, 18
# The first that is among a day's runs colours it.
ORDER = ("failed", "running", "queued", "cancelled", "succeeded", words.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Day:
    """A square: where it stands, what it tells, and the run that it leads to."""

    x: int
    y: int
    kind: str
    label: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Month:
    """Its name above its first week."""

    x: int
    name: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The drawing; `summary` tells it in words."""

    days: tuple[Day, ...]
    months: tuple[Month, ...]
    summary: str
    width: int = LEFT + WEEKS * STEP
    height: int = TOP + 7 * STEP


def calendar(runs: Sequence[pb.Run], today: date, are_all: bool = True) -> Calendar:
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
    return Calendar(
        days=tuple(_day(one, monday, by_day.get(one, []) if one >= known else None) for one in dates),
        months=tuple(_months(monday, today)),
        summary=f"{words.counted(total, 'run')} {since}, {failed} of them failed",
    )


def _day(one: date, monday: date, runs: Sequence[pb.Run] | None) -> Day:
    number = (one - monday).days
    x, y = LEFT + number // 7 * STEP, TOP + number % 7 * STEP
    if not runs:
        return Day(x, y, "empty", f"{one}: {'not among the newest runs' if runs is None else 'no run'}", "")
    states = [words.run_word(run.state) for run in runs]
    worst = next((word for word in ORDER if word in states), states[0])
    counts = ", ".join(f"{states.count(word)} {word}" for word in ORDER if word in states)
    return Day(x, y, worst, f"{one}: {counts}", runs[states.index(worst)].run_id)


def _months(monday: date, today: date) -> list[Month]:
    found = []
    for week in range(WEEKS):
        first = monday + timedelta(weeks=week)
        if first <= today and first.day <= 7:
            found.append(Month(LEFT + week * STEP, first.strftime("%b")))
    return found
