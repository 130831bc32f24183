"""Histories as bars over time: a row a key, a span a version, from when to when it was true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.views import words
from console.views.charts import ANCHORS, Tick

WIDTH, NAMES, ROW = 960, 170, 22
# Colours in the order in which words take them; green, which would praise, comes last.
KINDS = (0, 2, 5, 3, 4, 6, 7, 8, 9, 10, 11, 1)


@dataclass(frozen=True, slots=True)
class Version:
    """What a key was from `begin` on; `end`: None while it is so. `word` tells it, and colours it."""

    begin: datetime
    end: datetime | None
    word: str
    label: str


@dataclass(frozen=True, slots=True)
class Span:
    """A bar."""

    x: float
    width: float
    kind: int
    word: str
    label: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A key with its bars."""

    y: int
    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing; `cursor`: the place of a moment that is looked at, None without one."""

    title: str
    summary: str
    rows: tuple[Row, ...]
    columns: tuple[Tick, ...]
    legend: tuple[tuple[str, int], ...]
    cursor: float | None
    height: int
    width: int = WIDTH


def timeline(
    title: str, histories: Mapping[str, Sequence[Version]], now: datetime, at: datetime | None = None
) -> Timeline | None:
    """From the first version of all to now; None without any. Words have colours in the order in which they come."""
    begins = [version.begin for versions in histories.values() for version in versions]
    if not begins:
        return None
    first = min(begins)
    length = max(now - first, timedelta(seconds=1))
    scale = (WIDTH - NAMES) / length.total_seconds()
    seen = dict.fromkeys(version.word for versions in histories.values() for version in versions)
    kinds = {word: KINDS[number % len(KINDS)] for number, word in enumerate(seen)}

    def place(moment: datetime) -> float:
        return round(NAMES + max(0.0, min(1.0, (moment - first) / length)) * (WIDTH - NAMES), 1)

    def span(version: Version) -> Span:
        begin, end = place(version.begin), place(version.end or now)
        told = f"{version.label}: from {words.moment(version.begin)} to {words.moment(version.end)}"
        width = round(max(2.0, end - begin - 1), 1)
        return Span(begin, width, kinds[version.word], version.word, told, version.end is None)

    rows = tuple(
        Row(number * ROW, name, tuple(span(version) for version in versions))
        for number, (name, versions) in enumerate(histories.items())
    )
    versions = sum(len(each) for each in histories.values())
    summary = f"{title}: {words.counted(versions, 'version')} since {words.day(first)}"
    cursor = place(at) if at is not None else None
    return Timeline(
        title, summary, rows, _ticks(first, length, scale), tuple(kinds.items()), cursor, len(rows) * ROW + 22
    )


def _ticks(first: datetime, length: timedelta, scale: float) -> tuple[Tick, ...]:
    form = "%Y-%m-%d" if length > timedelta(days=4) else "%d %b %H:%M"
    parts = [length * part / 4 for part in range(5)]
    return tuple(
        Tick(round(NAMES + part.total_seconds() * scale, 1), (first + part).strftime(form), anchor)
        for part, anchor in zip(parts, ANCHORS, strict=True)
    )
