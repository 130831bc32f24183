"""Runs side by side, a column each, with a square for each step: where runs fail is seen at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass

from afin.ingest.v1 import ingest_pb2 as pb
from console.views import words

RUNS = 30
STEP, NAMES, TOP = 17, 200, 4


@dataclass(frozen=True, slots=True)
class Square:
    """A step of a run."""

    x: int
    y: int
    kind: str
    label: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Row:
    """A step's name."""

    y: int
    name: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The drawing; `summary` tells it in words."""

    rows: tuple[Row, ...]
    squares: tuple[Square, ...]
    summary: str
    width: int
    height: int


def grid(runs: Sequence[pb.Run]) -> Grid | None:
    """The newest RUNS, oldest on the left; None without runs. Steps are those of the newest run."""
    shown = list(reversed(runs[:RUNS]))
    if not shown:
        return None
    names = [step.name for step in shown[-1].steps]
    squares = [
        _square(number, names.index(step.name), run, step)
        for number, run in enumerate(shown)
        for step in run.steps
        if step.name in names
    ]
    rows = tuple(Row(TOP + number * STEP, words.plain(name)) for number, name in enumerate(names))
    failed = sum(run.state == pb.RUN_STATE_FAILED for run in shown)
    summary = f"Steps of the newest {len(shown)} runs; {failed} of them failed"
    width = NAMES + max(10, len(shown)) * STEP
    return Grid(rows, tuple(squares), summary, width, TOP + len(names) * STEP)


def _square(number: int, row: int, run: pb.Run, step: pb.Step) -> Square:
    word = words.step_word(step.state)
    label = f"{words.moment(run.created_at)}: {words.plain(step.name)} {word}"
    return Square(NAMES + number * STEP, TOP + row * STEP, word, label, run.run_id)
