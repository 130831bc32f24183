"""Runs, their steps and schedules, as records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.ingest.domain.account import Account

Outputs = Mapping[str, Mapping[str, Any]]


class Pipeline(StrEnum):
    """What can be run."""

    COMPANIES = "companies"
    RECOMMENDATIONS = "recommendations"
    BACKFILL = "backfill"
    ERASURE = "erasure"
    REPLAY = "replay"
    RECONCILE = "reconcile"


class Trigger(StrEnum):
    """Who began a run."""

    MANUAL = "manual"
    SCHEDULE = "schedule"


class RunState(StrEnum):
    """Queued and running runs are active; the others have ended."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_active(self) -> bool:
        """The run still occupies its pipeline."""
        return self in (RunState.QUEUED, RunState.RUNNING)


class StepState(StrEnum):
    """Steps that were not begun stay pending, however the run ended."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of a run; `attempts`: times it was begun.

    `output`, as JSON: what later steps need of it, or, before it has succeeded, what its next attempt goes on from.
    """

    position: int
    name: str
    state: StepState = StepState.PENDING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""
    error: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a pipeline.

    `attempts`: times a leader took it; also the fence: what is written under an older number is refused.
    `logical_time`: the moment the run stands for, not when it happened to start.
    """

    run_id: UUID
    pipeline: Pipeline
    state: RunState
    trigger: Trigger
    logical_time: datetime
    request_id: str | None
    parameters: Mapping[str, Any]
    account: Account | None
    error: str
    code_version: str
    attempts: int
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    steps: tuple[StepRecord, ...]

    def outputs(self) -> Outputs:
        """What the succeeded steps left for later ones, by name of the step."""
        return {step.name: step.output for step in self.steps if step.state is StepState.SUCCEEDED}


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a pipeline runs by itself. `last_time`: all times up to it are settled: run, or before its first sight.

    `first_seen`: since when the schedule is kept.
    """

    pipeline: Pipeline
    cron: str
    paused: bool
    last_time: datetime | None
    first_seen: datetime
