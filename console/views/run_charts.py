"""How long runs took, and how fast their rows were loaded."""

from collections.abc import Sequence
from datetime import timedelta

from afin.ingest.v1 import ingest_pb2 as pb
from console.views import words
from console.views.charts import Plot, Series, Value, bar_plot, line_plot

RUNS = 30
LOADING = ("save_payments_to_db", "save_companies")


def durations(runs: Sequence[pb.Run]) -> Plot:
    """Minutes or seconds of the newest runs that ended, coloured by how."""
    shown = _ended(runs)
    values = []
    for run in shown:
        length = words.between(run.started_at, run.ended_at)
        word = words.run_word(run.state)
        label = f"{words.moment(run.started_at)}: {word} after {words.span(length)}"
        seconds = length.total_seconds() if length is not None else None
        values.append(Value(seconds, label, f"/runs/{run.run_id}", word))
    return bar_plot("How long runs took", Series("duration", "succeeded", values), _names(shown), _seconds)


def throughput(runs: Sequence[pb.Run]) -> Plot:
    """Rows a second of the step that loads them, of runs whose load took a while."""
    shown = [run for run in _ended(runs) if _rate(run) is not None]
    values = [
        Value(_rate(run), f"{words.moment(run.started_at)}: {words.number(_rate(run))} rows/s", f"/runs/{run.run_id}")
        for run in shown
    ]
    series = Series("rows a second", "first", values)
    return line_plot("Rows loaded a second", [series], _names(shown), words.number)


def _ended(runs: Sequence[pb.Run]) -> list[pb.Run]:
    return list(reversed([run for run in runs if run.HasField("ended_at") and run.HasField("started_at")][:RUNS]))


def _rate(run: pb.Run) -> float | None:
    step = next((step for step in run.steps if step.name in LOADING and step.HasField("ended_at")), None)
    length = words.between(step.started_at, step.ended_at) if step else None
    if length is None or length <= timedelta(0) or not run.account.read:
        return None
    return run.account.read / length.total_seconds()


def _names(runs: Sequence[pb.Run]) -> list[str]:
    return words.beside(run.started_at for run in runs)


def _seconds(value: float) -> str:
    return words.span(timedelta(seconds=value)) if value else "0"
