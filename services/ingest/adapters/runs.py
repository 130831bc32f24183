"""Runs in PostgreSQL, as triggers and readers need them. The database itself allows one active run of a pipeline."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, false, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_if_absent
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.adapters.tables import ACTIVE, RUNS, STEPS, load_run, load_runs, transaction
from services.ingest.domain.runs import Pipeline, Run, RunState, StepState
from services.ingest.workflow.errors import RunActive
from services.ingest.workflow.values import NewRun, RunCursor
from services.runtime.clock import Clock
from services.runtime.errors import FailedPrecondition, Unavailable
from services.runtime.version import code_version

CREATE_TRIES = 10


class PostgresRunTable:
    """See services.ingest.workflow.ports.RunTable."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def create(self, new: NewRun) -> Run:
        """See RunTable."""
        for _ in range(CREATE_TRIES):
            async with transaction(self._engine) as connection:
                if await insert_run(connection, new, self._clock):
                    return await load_run(connection, new.run_id)
                rival = await _rival(connection, new)
            if rival is not None and new.request_id is not None and rival.request_id == new.request_id:
                return rival
            if rival is not None:
                raise RunActive(rival.pipeline, str(rival.run_id))
            # The rival has ended in between, or stands for the same microsecond.
            new = replace(new, logical_time=new.logical_time + timedelta(microseconds=1))
        raise Unavailable("too many runs begin at this moment; try again")

    async def get(self, run_id: UUID) -> Run:
        """See RunTable."""
        async with transaction(self._engine) as connection:
            return await load_run(connection, run_id)

    async def newest(self, pipeline: Pipeline | None, limit: int, after: RunCursor | None) -> list[Run]:
        """See RunTable."""
        chosen = select(RUNS).order_by(RUNS.c.created_at.desc(), RUNS.c.run_id.desc()).limit(limit)
        if pipeline is not None:
            chosen = chosen.where(RUNS.c.pipeline == pipeline.value)
        if after is not None:
            chosen = chosen.where(tuple_(RUNS.c.created_at, RUNS.c.run_id) < (after.created_at, after.run_id))
        async with transaction(self._engine) as connection:
            return await load_runs(connection, chosen)

    async def retry(self, run_id: UUID) -> Run:
        """See RunTable."""
        try:
            async with transaction(self._engine) as connection:
                run = await _locked(connection, run_id)
                if run.state not in (RunState.FAILED, RunState.CANCELLED):
                    raise FailedPrecondition(
                        f"run {run_id} is {run.state}; only a failed or cancelled run can be retried"
                    )
                await _requeue(connection, run_id)
                return await load_run(connection, run_id)
        except IntegrityError as error:
            raise RunActive(run.pipeline, await self._active_run(run.pipeline)) from error

    async def request_cancel(self, run_id: UUID) -> Run:
        """See RunTable."""
        async with transaction(self._engine) as connection:
            run = await _locked(connection, run_id)
            if run.state in (RunState.SUCCEEDED, RunState.FAILED):
                raise FailedPrecondition(f"run {run_id} has {run.state} already; there is nothing to cancel")
            queued = RUNS.c.state == RunState.QUEUED.value
            changes = {
                "cancel_requested": True,
                "state": case((queued, RunState.CANCELLED.value), else_=RUNS.c.state),
                "ended_at": case((queued, self._clock()), else_=RUNS.c.ended_at),
            }
            await connection.execute(update(RUNS).where(RUNS.c.run_id == run_id, ACTIVE).values(changes))
            return await load_run(connection, run_id)

    async def _active_run(self, pipeline: Pipeline) -> str:
        async with transaction(self._engine) as connection:
            active = select(RUNS.c.run_id).where(RUNS.c.pipeline == pipeline.value, ACTIVE)
            return str(await connection.scalar(active) or "")


async def insert_run(connection: AsyncConnection, new: NewRun, clock: Clock) -> bool:
    """Enters a queued run with its steps; False, changing nothing, when any rule of uniqueness stands against it."""
    row = {
        "run_id": new.run_id,
        "pipeline": new.pipeline.value,
        "state": RunState.QUEUED.value,
        "trigger": new.trigger.value,
        "logical_time": new.logical_time,
        "request_id": new.request_id,
        "parameters": new.parameters,
        "code_version": code_version(),
        "created_at": clock(),
    }
    inserted = await connection.scalar(
        insert_if_absent(RUNS).values(row).on_conflict_do_nothing().returning(RUNS.c.run_id)
    )
    if inserted is None:
        return False
    steps = [
        {"run_id": new.run_id, "position": position, "name": name, "state": StepState.PENDING.value}
        for position, name in enumerate(new.steps)
    ]
    await connection.execute(insert(STEPS), steps)
    return True


async def _rival(connection: AsyncConnection, new: NewRun) -> Run | None:
    """The run that stands in the way: the one with the same request id before an active one. Erasures queue."""
    asked = false() if new.request_id is None else RUNS.c.request_id == new.request_id
    same_request = func.coalesce(asked, false())
    is_blocking = false() if new.pipeline is Pipeline.ERASURE else ACTIVE
    in_the_way = select(RUNS).where(RUNS.c.pipeline == new.pipeline.value, or_(same_request, is_blocking))
    found = await load_runs(connection, in_the_way.order_by(same_request.desc()).limit(1))
    return found[0] if found else None


async def _locked(connection: AsyncConnection, run_id: UUID) -> Run:
    await connection.execute(select(RUNS.c.run_id).where(RUNS.c.run_id == run_id).with_for_update())
    return await load_run(connection, run_id)


async def _requeue(connection: AsyncConnection, run_id: UUID) -> None:
    again = {"state": RunState.QUEUED.value, "error": "", "ended_at": None, "cancel_requested": False}
    await connection.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(again))
    unfinished = STEPS.c.state.in_([StepState.FAILED.value, StepState.CANCELLED.value])
    pending = {"state": StepState.PENDING.value, "error": "", "detail": "", "ended_at": None}
    await connection.execute(update(STEPS).where(STEPS.c.run_id == run_id, unfinished).values(pending))
