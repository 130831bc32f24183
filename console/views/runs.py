"""Runs as pictures: what each step does, an account that balances, and how far it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from afin.ingest.v1 import ingest_pb2 as pb
from console.views import words

ENDED = (pb.RUN_STATE_SUCCEEDED, pb.RUN_STATE_FAILED, pb.RUN_STATE_CANCELLED)
RETRIED = (pb.RUN_STATE_FAILED, pb.RUN_STATE_CANCELLED)
PARTS = ("new", "changed", "unchanged", "late", "quarantined")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the rows that were read: `share` 0 to 1, `begin` where it begins in the bar."""

    name: str
    rows: int
    share: float
    begin: float


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of the rows; `missing`: those that no part accounts for, 0 unless something is wrong."""

    read: int
    parts: tuple[Part, ...]
    missing: int


def is_ended(run: pb.Run) -> bool:
    """Nothing more will happen unless somebody retries it."""
    return run.state in ENDED


def can_be_retried(run: pb.Run) -> bool:
    """It ended before its last step."""
    return run.state in RETRIED


def balance(run: pb.Run) -> Balance | None:
    """The account of a run; None before there is one. Rows still on the way are counted once it has ended."""
    if not run.HasField("account"):
        return None
    account = run.account
    rows = {name: int(getattr(account, name)) for name in PARTS}
    total = max(1, account.read, sum(rows.values()))
    parts, begin = [], 0.0
    for name, count in rows.items():
        parts.append(Part(name, count, count / total, begin))
        begin += count / total
    return Balance(account.read, tuple(parts), account.read - sum(rows.values()))


def active_step(run: pb.Run) -> pb.Step | None:
    """The step at work."""
    return next((step for step in run.steps if step.state == pb.STEP_STATE_RUNNING), None)


def steps_done(run: pb.Run) -> int:
    """How many have succeeded."""
    return sum(step.state == pb.STEP_STATE_SUCCEEDED for step in run.steps)


def rate(step: pb.Step, now: datetime) -> float | None:
    """Rows a second of a step that counts rows; None for others, and before it has begun."""
    rows = next((step.counts[name] for name in ("read", "rows") if name in step.counts), 0)
    begun = words.moment_of(step.started_at)
    if not rows or begun is None:
        return None
    seconds = ((words.moment_of(step.ended_at) or now) - begun).total_seconds()
    return rows / seconds if seconds > 0 else None


def took(run: pb.Run | pb.Step, now: datetime) -> timedelta | None:
    """How long it has worked until now, or did until it ended."""
    begun = words.moment_of(run.started_at)
    return (words.moment_of(run.ended_at) or now) - begun if begun else None


def summary(run: pb.Run) -> str:
    """One sentence for who cannot see the picture; it changes when the state or the step does."""
    step = active_step(run)
    at = f", at {words.plain(step.name)}" if step else ""
    return (
        f"Run of {words.pipeline_word(run.pipeline)} {words.run_word(run.state)}{at}: "
        f"{steps_done(run)} of {len(run.steps)} steps done"
    )
