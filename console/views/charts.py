"""Charts as geometry: numbers in, places on a drawing out. Templates draw them; colours are the style sheet's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 72, 708, 12, 190
ROWS = 4
# Of five labels from one edge to the other.
ANCHORS = ("start", "middle", "middle", "middle", "end")


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place of an axis."""

    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a line, with what it tells and where it leads."""

    x: float
    y: float
    label: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    label: str
    kind: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """`path` and `area` as SVG has them; no area: empty."""

    kind: str
    path: str
    area: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A word of the legend."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A whole drawing; `summary` tells it in words."""

    title: str
    summary: str
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    legend: tuple[Key, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT


@dataclass(frozen=True, slots=True)
class Value:
    """One number of a series, and what it is of. None: there is none, and the line has a gap."""

    value: float | None
    label: str
    href: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Values side by side, oldest first."""

    name: str
    kind: str
    values: Sequence[Value]


Format = Callable[[float], str]


def line_plot(title: str, series: Sequence[Series], columns: Sequence[str], form: Format) -> Plot:
    """Lines over places side by side; `columns` names them, of which as many are told as there is room for."""
    known = [each.value for one in series for each in one.values if each.value is not None]
    axis = _Axis(max(known, default=1.0), form)
    places = [_across(number, len(columns)) for number in range(len(columns))]
    lines = tuple(_line(one, places, axis) for one in series)
    legend = tuple(Key(one.name, one.kind) for one in series)
    return Plot(title, _summary(title, series, form), axis.ticks(), _columns(columns, places), (), lines, legend)


def bar_plot(title: str, series: Series, columns: Sequence[str], form: Format) -> Plot:
    """Bars side by side; a value's `kind` colours its bar."""
    axis = _Axis(max((each.value or 0.0 for each in series.values), default=1.0), form)
    step = (RIGHT - LEFT) / max(1, len(series.values))
    width = min(28.0, step * 0.7)
    bars, places = [], []
    for number, each in enumerate(series.values):
        middle = LEFT + step * (number + 0.5)
        places.append(middle)
        if each.value is not None:
            y = min(axis.place(each.value), BOTTOM - 1)
            kind = each.kind or series.kind
            bars.append(Bar(_r(middle - width / 2), _r(y), _r(width), _r(BOTTOM - y), each.label, kind, each.href))
    return Plot(title, _summary(title, [series], form), axis.ticks(), _columns(columns, places), tuple(bars))


def curve_plot(title: str, points: Sequence[tuple[float, float]], form: Format, columns: Format) -> Plot:
    """A filled curve over numbers (x ascending, from 0)."""
    most = max((x for x, _ in points), default=1.0) or 1.0
    axis = _Axis(max((y for _, y in points), default=1.0), form)
    places = [(LEFT + (RIGHT - LEFT) * x / most, axis.place(y)) for x, y in points]
    path = "M" + " L".join(f"{_r(x)} {_r(y)}" for x, y in places) if places else ""
    area = f"{path} L{_r(places[-1][0])} {BOTTOM} L{_r(places[0][0])} {BOTTOM} Z" if places else ""
    ticks = tuple(
        Tick(_r(LEFT + (RIGHT - LEFT) * part / 4), columns(most * part / 4), anchor)
        for part, anchor in enumerate(ANCHORS)
    )
    return Plot(title, title, axis.ticks(), ticks, lines=(Line("first", path, area, ()),))


class _Axis:
    """From 0 to a round number above `high`, from the bottom up."""

    def __init__(self, high: float, form: Format) -> None:
        self._step = _round_step(high / ROWS) if high > 0 else 1.0
        self._count = max(1, math.ceil(high / self._step - 1e-9)) if high > 0 else ROWS
        self._form = form

    def place(self, value: float) -> float:
        """Where it stands."""
        return BOTTOM - (BOTTOM - TOP) * value / (self._step * self._count)

    def ticks(self) -> tuple[Tick, ...]:
        """Its labels."""
        values = [self._step * number for number in range(self._count + 1)]
        return tuple(Tick(_r(self.place(value)), self._form(value)) for value in values)


def _line(series: Series, places: Sequence[float], axis: _Axis) -> Line:
    path, pen_is_down, dots = "", False, []
    for x, each in zip(places, series.values, strict=True):
        if each.value is None:
            pen_is_down = False
            continue
        y = axis.place(each.value)
        path += f"{'L' if pen_is_down else 'M'}{_r(x)} {_r(y)} "
        pen_is_down = True
        dots.append(Dot(_r(x), _r(y), each.label, each.href))
    return Line(series.kind, path.strip(), "", tuple(dots))


def _columns(names: Sequence[str], places: Sequence[float]) -> tuple[Tick, ...]:
    every = max(1, math.ceil(len(names) / 7))
    chosen = [number for number in range(len(names)) if number % every == 0]
    return tuple(Tick(_r(places[number]), names[number]) for number in chosen)


def _across(number: int, count: int) -> float:
    return LEFT + 16 + (RIGHT - LEFT - 32) * (number / (count - 1) if count > 1 else 0.5)


def _summary(title: str, series: Sequence[Series], form: Format) -> str:
    told = []
    for one in series:
        known = [each.value for each in one.values if each.value is not None]
        told.append(f"{one.name}: newest {form(known[-1])} of {len(known)}" if known else f"{one.name}: none yet")
    return f"{title}. {'; '.join(told)}"


def _round_step(step: float) -> float:
    size = 10.0 ** math.floor(math.log10(step))
    return next((size * part for part in (1, 2, 2.5, 5) if step <= size * part * (1 + 1e-9)), size * 10)


def _r(value: float) -> float:
    return round(value, 1)
