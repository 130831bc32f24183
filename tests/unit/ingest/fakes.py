"""Small stand-ins for the ports of the workflow, which remember what was done to them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from services.ingest.domain.account import Account
from services.ingest.domain.order import ActiveRun
from services.ingest.domain.runs import Pipeline, Run, RunState, StepRecord, StepState, Trigger
from services.ingest.workflow.errors import LeadershipLost
from services.ingest.workflow.pipelines import step_names
from services.ingest.workflow.steps import Tools
from services.ingest.workflow.values import (
    ClientDigest,
    ErasedRows,
    LoadedRows,
    ManifestReference,
    RecordedUpdate,
    Watermarks,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RUN_ID = UUID(int=1)


def new_run(pipeline: Pipeline = Pipeline.COMPANIES, **changes: Any) -> Run:
    """A queued run."""
    steps = tuple(StepRecord(position, name) for position, name in enumerate(step_names(pipeline)))
    run = Run(
        run_id=RUN_ID,
        pipeline=pipeline,
        state=RunState.QUEUED,
        trigger=Trigger.MANUAL,
        logical_time=NOW,
        request_id=None,
        parameters={},
        account=None,
        error="",
        code_version="1",
        attempts=0,
        cancel_requested=False,
        created_at=NOW,
        started_at=None,
        ended_at=None,
        steps=steps,
    )
    return replace(run, **changes)


@dataclass
class FakeWorkTable:
    """One run in memory, with the fence of the real table."""

    run: Run
    notes: list[tuple[dict[str, int], str]] = field(default_factory=list)

    async def active(self) -> list[ActiveRun]:
        active = ActiveRun(self.run.run_id, self.run.pipeline, self.run.state is RunState.RUNNING)
        return [active] if self.run.state.is_active else []

    async def take(self, run_id: UUID) -> Run | None:
        if not self.run.state.is_active:
            return None
        self.run = replace(self.run, state=RunState.RUNNING, attempts=self.run.attempts + 1)
        return self.run

    async def begin_step(self, run: Run, position: int) -> int:
        attempts = self.run.steps[position].attempts + 1
        self._change_step(run, position, state=StepState.RUNNING, attempts=attempts)
        return attempts

    async def note(self, run: Run, position: int, counts: dict[str, int], detail: str) -> bool:
        self.notes.append((dict(counts), detail))
        self._change_step(run, position, counts=dict(counts), detail=detail)
        return self.run.cancel_requested

    async def keep(self, run: Run, position: int, checkpoint: dict[str, object]) -> None:
        self._change_step(run, position, output=checkpoint)

    async def complete_step(self, run: Run, position: int, output: dict[str, object], account: Account | None) -> None:
        self._change_step(run, position, state=StepState.SUCCEEDED, output=output)
        self.run = replace(self.run, account=account or self.run.account)

    async def end(self, run: Run, outcome: RunState, error: str = "") -> None:
        self._require_held(run)
        for step in self.run.steps:
            if step.state is StepState.RUNNING:
                self._change_step(run, step.position, state=StepState(outcome.value), error=error)
        self.run = replace(self.run, state=outcome, error=error)

    def states(self) -> list[str]:
        """Of the steps, in order."""
        return [step.state.value for step in self.run.steps]

    def _change_step(self, run: Run, position: int, **changes: Any) -> None:
        self._require_held(run)
        steps = list(self.run.steps)
        steps[position] = replace(steps[position], **changes)
        self.run = replace(self.run, steps=tuple(steps))

    def _require_held(self, run: Run) -> None:
        if run.attempts != self.run.attempts or self.run.state is not RunState.RUNNING:
            raise LeadershipLost


@dataclass
class FakeWarehouse:
    """Answers with what it is given, and knows no load; `during` happens while it is asked for watermarks."""

    companies: datetime | None = NOW
    payments: datetime | None = None
    problem: Exception | None = None
    during: Callable[[], Any] | None = None
    asked: int = 0
    waits: asyncio.Event | None = None
    announced: int = 0
    announced_before_found: list[int] = field(default_factory=list)
    refuses: Exception | None = None

    async def announce_leader(self) -> None:
        self.announced += 1
        if self.refuses is not None:
            raise self.refuses

    async def watermarks(self) -> Watermarks:
        self.asked += 1
        if self.during is not None:
            self.during()
        if self.waits is not None:
            await self.waits.wait()
        if self.problem is not None:
            raise self.problem
        return Watermarks(self.payments, self.companies)

    async def load_payments(self, load_id: str, manifest: ManifestReference, watermark: datetime | None) -> LoadedRows:
        raise NotImplementedError

    async def load_companies(self, load_id: str, manifest: ManifestReference, *, accept_fewer: bool) -> LoadedRows:
        raise NotImplementedError

    async def record_companies_update(self, load_id: str) -> RecordedUpdate:
        raise NotImplementedError

    async def find_load(self, load_id: str) -> LoadedRows | None:
        self.announced_before_found.append(self.announced)
        if self.problem is not None:
            raise self.problem
        return None

    async def replace_manifest(self, load_id: str, manifest: ManifestReference) -> bool:
        raise NotImplementedError

    async def erase_client(self, erasure_id: str, client: ClientDigest, created_until: datetime) -> ErasedRows:
        raise NotImplementedError


class FakeLake:
    """A lake whose bucket is there; nothing is written to it."""

    async def check(self) -> None:
        """It is there."""


def tools(warehouse: FakeWarehouse) -> Tools:
    """Tools for runs that do not come beyond verify_companies."""
    return cast("Tools", _FewTools(FakeLake(), warehouse))


@dataclass(frozen=True)
class _FewTools:
    lake: FakeLake
    warehouse: FakeWarehouse
