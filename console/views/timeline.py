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
    axis = _Axis(min(begins), max(now - min(begins), timedelta(seconds=1)))
    seen = dict.fromkeys(version.word for versions in histories.values() for version in versions)
    kinds = {word: KINDS[number % len(KINDS)] for number, word in enumerate(seen)}
    rows = tuple(
        Row(number * ROW, name, tuple(_span(version, kinds[version.word], axis) for version in versions))
        for number, (name, versions) in enumerate(histories.items())
    )
    return Timeline(
        title=title,
        summary=f"{title}: {words.counted(len(begins), 'version')} since {words.day(axis.first)}",
        rows=rows,
        columns=axis.ticks(),
        legend=tuple(kinds.items()),
        cursor=axis.place(at) if at is not None else None,
        height=len(rows) * ROW + 22,
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """From the first moment over a length of time, which ends now."""

    first: datetime
    length: timedelta

    def place(self, moment: datetime) -> float:
        """Where it stands; a moment beyond stands at the edge."""
        share = max(0.0, min(1.0, (moment - self.first) / self.length))
        return round(NAMES + share * (WIDTH - NAMES), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Its labels."""
        form = "%Y-%m-%d" if self.length > timedelta(days=4) else "%d %b %H:%M"
        moments = [self.first + self.length * part / 4 for part in range(5)]
        return tuple(
            Tick(self.place(moment), moment.strftime(form), anchor)
            for moment, anchor in zip(moments, ANCHORS, strict=True)
        )


def _span(version: Version, kind: int, axis: _Axis) -> Span:
    begin = axis.place(version.begin)
    end = axis.place(version.end or axis.first + axis.length)
    label = f"{version.label}: from {words.moment(version.begin)} to {words.moment(version.end)}"
    return Span(begin, round(max(2.0, end - begin - 1), 1), kind, version.word, label, version.end is None)
