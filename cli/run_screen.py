"""Runs as a person reads them."""

from google.protobuf.message import Message
from rich.text import Text

from afin.ingest.v1 import ingest_pb2
from cli.following import mark_of
from cli.paging import more
from cli.progress import counts_text, step_seconds
from cli.screen import Screen
from cli.words import between, moment, name_of, shortened, styled_state
from services.runtime.clock import utc_now

HEADS = ("RUN", "PIPELINE", "STATE", "TRIGGER", "STARTED", ">TOOK", ">READ", ">NEW", ">CHANGED", ">REFUSED", "ERROR")


def state_of(run: ingest_pb2.Run | ingest_pb2.Erasure) -> str:
    """succeeded, failed, ..."""
    return name_of(ingest_pb2.RunState.Name, run.state, "RUN_STATE_")


def pipeline_of(run: ingest_pb2.Run | ingest_pb2.Schedule) -> str:
    """recommendations, companies, ..."""
    return name_of(ingest_pb2.Pipeline.Name, run.pipeline, "PIPELINE_")


def print_runs(answer: ingest_pb2.ListRunsResponse, screen: Screen) -> None:
    """A line a run."""
    none = "no run yet; `afin run companies --watch` begins with the catalogue"
    screen.listing(HEADS, [_row(run) for run in answer.runs], none=none, more=more(answer))


def print_run(run: ingest_pb2.Run, screen: Screen) -> None:
    """All of one run."""
    screen.fields(
        (
            ("run", run.run_id),
            ("pipeline", pipeline_of(run)),
            ("state", styled_state(state_of(run))),
            ("trigger", _trigger_of(run)),
            ("stands for", moment(run.logical_time)),
            ("started", moment(run.started_at)),
            ("ended", moment(run.ended_at)),
            ("took", between(run.started_at, run.ended_at)),
            ("attempts", str(run.attempts)),
            ("code", run.code_version),
            ("rows", account_text(run)),
            ("error", Text(run.error, "red")),
        )
    )
    screen.title("Steps")
    screen.table(("", "STEP", ">SECONDS", "COUNTS", "DETAIL"), [_step(step) for step in run.steps])
    if run.account.quarantined:
        screen.say(f"why rows were refused: afin quarantine list {run.run_id}")
    if state_of(run) in ("failed", "cancelled"):
        screen.say(f"to go on where it stopped: afin retry {run.run_id} --watch")


def account_text(run: ingest_pb2.Run) -> str:
    """What became of the rows; empty before there are any."""
    account: Message = run.account
    return ", ".join(f"{field.name} {value:,}" for field, value in account.ListFields())


def _trigger_of(run: ingest_pb2.Run) -> str:
    return name_of(ingest_pb2.Trigger.Name, run.trigger, "TRIGGER_")


def _row(run: ingest_pb2.Run) -> tuple[str | Text, ...]:
    account = run.account
    rows = (account.read, account.new, account.changed, account.quarantined)
    return (
        run.run_id,
        pipeline_of(run),
        styled_state(state_of(run)),
        _trigger_of(run),
        moment(run.started_at),
        between(run.started_at, run.ended_at),
        *(f"{count:,}" for count in rows),
        shortened(run.error),
    )


def _step(step: ingest_pb2.Step) -> tuple[str | Text, ...]:
    told = Text(step.error, "red") if step.error else Text(step.detail)
    return mark_of(step), step.name, f"{step_seconds(step, utc_now()):.1f}", counts_text(step), told
