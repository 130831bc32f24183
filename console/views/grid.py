"""Runs side by side, a column each, with a square for each step: where runs fail is seen at a glance."""

from collections.abc import Sequence

from afin.ingest.v1 import ingest_pb2 as pb
from console.views import words
from console.views.squares import BASELINE, Name, Square, Squares

RUNS = 30
STEP, SIDE, NAMES, TOP = 17, 15, 200, 4


def grid(runs: Sequence[pb.Run]) -> Squares | None:
    """The newest RUNS, oldest on the left; None without runs. Steps are those of the newest run."""
    shown = list(reversed(runs[:RUNS]))
    if not shown:
        return None
    names = [step.name for step in shown[-1].steps]
    squares = tuple(
        _square(number, names.index(step.name), run, step)
        for number, run in enumerate(shown)
        for step in run.steps
        if step.name in names
    )
    rows = tuple(Name(0, TOP + number * STEP + BASELINE, words.plain(name)) for number, name in enumerate(names))
    failed = sum(run.state == pb.RUN_STATE_FAILED for run in shown)
    summary = f"Steps of the newest {len(shown)} runs; {failed} of them failed"
    width = NAMES + max(10, len(shown)) * STEP
    return Squares(rows, squares, summary, width, TOP + len(names) * STEP, SIDE)


def _square(number: int, row: int, run: pb.Run, step: pb.Step) -> Square:
    word = words.step_word(step.state)
    label = f"{words.moment(run.created_at)}: {words.plain(step.name)} {word}"
    return Square(NAMES + number * STEP, TOP + row * STEP, word, label, run.run_id)
