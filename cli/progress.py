"""How far a run is: rows, rate, and how long is left, going by an earlier run of the same pipeline. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from afin.ingest.v1 import ingest_pb2

# The count of rows that grows while a step works.
ROWS = "read"


@dataclass(frozen=True, slots=True)
class Pace:
    """What a step took, and how many rows it read; 0 where it reads none."""

    seconds: float
    rows: int


Before = Mapping[str, Pace]


def paces_of(run: ingest_pb2.Run | None) -> Before:
    """The pace of each step that came to its end."""
    steps = run.steps if run is not None else ()
    return {
        step.name: Pace(step_seconds(step), step.counts.get(ROWS, 0)) for step in steps if step.HasField("ended_at")
    }


def step_seconds(step: ingest_pb2.Step, now: datetime | None = None) -> float:
    """How long a step took, or has taken until now; 0 before it started."""
    if not step.HasField("started_at"):
        return 0.0
    end = _moment(step.ended_at) if step.HasField("ended_at") else now or _moment(step.started_at)
    return max((end - _moment(step.started_at)).total_seconds(), 0.0)


def rate(step: ingest_pb2.Step, now: datetime) -> float:
    """Rows a second since the step started; 0 before there are any."""
    seconds = step_seconds(step, now)
    return step.counts.get(ROWS, 0) / seconds if seconds > 0 else 0.0


def time_left(step: ingest_pb2.Step, before: Pace | None, now: datetime) -> timedelta | None:
    """By its rate and the rows of the run before, else by that run's time; None where nothing tells."""
    if before is None:
        return None
    rows, a_second = step.counts.get(ROWS, 0), rate(step, now)
    if before.rows > 0 and rows > 0:
        left = (before.rows - rows) / a_second if a_second else 0.0
    else:
        left = before.seconds - step_seconds(step, now)
    return timedelta(seconds=left) if left > 0 else None


def counts_text(step: ingest_pb2.Step) -> str:
    """The counts of a step by name."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(step.counts.items()))


def moving_text(step: ingest_pb2.Step, before: Pace | None, now: datetime) -> str:
    """What a step at work is doing, in one line."""
    a_second, left = rate(step, now), time_left(step, before, now)
    parts = [
        f"{step_seconds(step, now):.0f} s",
        counts_text(step),
        f"{a_second:,.0f} rows/s" if a_second else "",
        f"about {left.total_seconds():.0f} s left" if left else "",
        step.detail,
    ]
    return f"{step.name}  " + " · ".join(part for part in parts if part)


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
