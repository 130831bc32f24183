"""A drawing of squares, each of which may lead to a run, with names beside them."""

from dataclasses import dataclass

# Where the letters of a row's name stand, from its top.
BASELINE = 11


@dataclass(frozen=True, slots=True)
class Name:
    """What a row or a column is; `y` is where its letters stand."""

    x: int
    y: int
    name: str


@dataclass(frozen=True, slots=True)
class Square:
    """Where it stands, what it tells, and the run that it leads to; empty: none."""

    x: int
    y: int
    kind: str
    label: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Squares:
    """The drawing; `summary` tells it in words, `side` is as long as each square."""

    names: tuple[Name, ...]
    squares: tuple[Square, ...]
    summary: str
    width: int
    height: int
    side: int
