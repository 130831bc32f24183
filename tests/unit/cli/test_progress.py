"""Rate and time left of a step at work."""

from datetime import UTC, datetime, timedelta

from afin.ingest.v1 import ingest_pb2
from cli.progress import Pace, moving_text, paces_of, rate, time_left
from services.runtime.timestamps import timestamp_of

START = datetime(2026, 12, 1, 12, tzinfo=UTC)


def step(seconds: float | None = None, **counts: int) -> ingest_pb2.Step:
    ended = timestamp_of(START + timedelta(seconds=seconds)) if seconds is not None else None
    return ingest_pb2.Step(name="save", started_at=timestamp_of(START), ended_at=ended, counts=counts)


def test_the_rate_is_of_rows_since_the_step_started() -> None:
    assert rate(step(read=500), START + timedelta(seconds=10)) == 50
    assert rate(step(read=500), START) == 0


def test_time_left_goes_by_the_rows_of_the_run_before() -> None:
    left = time_left(step(read=500), Pace(100, 2000), START + timedelta(seconds=10))
    assert left == timedelta(seconds=30)


def test_without_rows_it_goes_by_the_time_of_the_run_before() -> None:
    assert time_left(step(), Pace(100, 0), START + timedelta(seconds=40)) == timedelta(seconds=60)
    assert time_left(step(), Pace(100, 0), START + timedelta(seconds=140)) is None
    assert time_left(step(), None, START) is None


def test_the_line_tells_counts_rate_and_what_is_left() -> None:
    line = moving_text(step(read=5000), Pace(100, 20_000), START + timedelta(seconds=10))
    assert line == "save  10 s · read 5,000 · 500 rows/s · about 30 s left"


def test_paces_are_of_steps_that_have_ended() -> None:
    run = ingest_pb2.Run(steps=[step(4, read=10), ingest_pb2.Step(name="later")])
    assert paces_of(run) == {"save": Pace(4, 10)}
    assert paces_of(None) == {}
