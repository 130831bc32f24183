"""Runs in PostgreSQL, as the leader works on them.

Two fences keep out a former leader that was paused or cut off: its epoch, and the number of attempts at the run.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.adapters.tables import ACTIVE, RUNS, STEPS, load_run, require_leader, transaction
from services.ingest.domain.account import Account
from services.ingest.domain.order import ActiveRun
from services.ingest.domain.runs import Pipeline, Run, RunState, StepState
from services.ingest.workflow.errors import LeadershipLost
from services.runtime.clock import Clock

OPEN_QUARANTINE = text("""
    SELECT newest.pipeline, CASE WHEN EXISTS (
            SELECT FROM ingest.runs AS replay
            WHERE replay.pipeline = 'replay' AND replay.state = 'succeeded'
                AND replay.parameters ->> 'run_id' = newest.run_id::text
        ) THEN 0 ELSE (newest.counts ->> 'quarantined')::bigint END
    FROM (
        SELECT DISTINCT ON (pipeline) pipeline, run_id, counts FROM ingest.runs
        WHERE counts ->> 'quarantined' IS NOT NULL ORDER BY pipeline, created_at DESC, run_id DESC
    ) AS newest
""")


class PostgresWorkTable:
    """See WorkTable and RunHistory in services.ingest.workflow.ports."""

    def __init__(self, engine: AsyncEngine, clock: Clock, epoch: int) -> None:
        self._engine = engine
        self._clock = clock
        self._epoch = epoch

    async def active(self) -> list[ActiveRun]:
        """See WorkTable."""
        runs = select(RUNS.c.run_id, RUNS.c.pipeline, RUNS.c.state).where(ACTIVE)
        async with transaction(self._engine) as connection:
            found = await connection.execute(runs.order_by(RUNS.c.created_at, RUNS.c.run_id))
            return [ActiveRun(row.run_id, Pipeline(row.pipeline), row.state == RunState.RUNNING) for row in found]

    async def take(self, run_id: UUID) -> Run | None:
        """See WorkTable."""
        changes = {
            "state": RunState.RUNNING.value,
            "attempts": RUNS.c.attempts + 1,
            "started_at": func.coalesce(RUNS.c.started_at, self._clock()),
        }
        async with self._leading() as connection:
            taken = await connection.execute(update(RUNS).where(RUNS.c.run_id == run_id, ACTIVE).values(changes))
            return await load_run(connection, run_id) if taken.rowcount else None

    async def begin_step(self, run: Run, position: int) -> int:
        """See WorkTable."""
        begun = {
            "state": StepState.RUNNING.value,
            "attempts": STEPS.c.attempts + 1,
            "started_at": self._clock(),
            "ended_at": None,
            "counts": {},
            "detail": "",
            "error": "",
        }
        async with self._holding(run) as (connection, _):
            change = update(STEPS).where(*_step(run, position)).values(begun).returning(STEPS.c.attempts)
            return int((await connection.execute(change)).scalar_one())

    async def note(self, run: Run, position: int, counts: dict[str, int], detail: str) -> bool:
        """See WorkTable."""
        async with self._holding(run) as (connection, cancel_requested):
            noted = {"counts": dict(counts), "detail": detail}
            await connection.execute(update(STEPS).where(*_step(run, position)).values(noted))
            return cancel_requested

    async def keep(self, run: Run, position: int, checkpoint: dict[str, Any]) -> None:
        """See WorkTable."""
        async with self._holding(run) as (connection, _):
            # Nobody reads the output of a step that has not succeeded.
            await connection.execute(update(STEPS).where(*_step(run, position)).values(output=checkpoint))

    async def complete_step(self, run: Run, position: int, output: dict[str, Any], account: Account | None) -> None:
        """See WorkTable."""
        done = {"state": StepState.SUCCEEDED.value, "ended_at": self._clock(), "output": output}
        async with self._holding(run) as (connection, _):
            await connection.execute(update(STEPS).where(*_step(run, position)).values(done))
            if account is not None:
                counts = {"counts": account.as_counts()}
                await connection.execute(update(RUNS).where(RUNS.c.run_id == run.run_id).values(counts))

    async def end(self, run: Run, outcome: RunState, error: str = "") -> None:
        """See WorkTable."""
        ended = {"state": outcome.value, "ended_at": self._clock(), "error": error}
        unfinished = (STEPS.c.run_id == run.run_id, STEPS.c.state == StepState.RUNNING.value)
        async with self._holding(run) as (connection, _):
            await connection.execute(update(STEPS).where(*unfinished).values(ended))
            await connection.execute(update(RUNS).where(RUNS.c.run_id == run.run_id).values(ended))

    async def last_successes(self) -> dict[Pipeline, datetime]:
        """See RunHistory."""
        succeeded = RUNS.c.state == RunState.SUCCEEDED.value
        newest = select(RUNS.c.pipeline, func.max(RUNS.c.ended_at)).where(succeeded).group_by(RUNS.c.pipeline)
        async with transaction(self._engine) as connection:
            return {Pipeline(pipeline): moment for pipeline, moment in await connection.execute(newest)}

    async def open_quarantine(self) -> dict[Pipeline, int]:
        """See RunHistory."""
        async with transaction(self._engine) as connection:
            return {Pipeline(pipeline): rows for pipeline, rows in await connection.execute(OPEN_QUARANTINE)}

    @asynccontextmanager
    async def _leading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in which nobody else can become the leader; or LeadershipLost."""
        async with transaction(self._engine) as connection:
            await require_leader(connection, self._epoch)
            yield connection

    @asynccontextmanager
    async def _holding(self, run: Run) -> AsyncIterator[tuple[AsyncConnection, bool]]:
        """A transaction in which nobody else can take the run, and whether it is to be cancelled; or LeadershipLost."""
        mine = (RUNS.c.run_id == run.run_id, RUNS.c.attempts == run.attempts, RUNS.c.state == RunState.RUNNING.value)
        async with self._leading() as connection:
            held = select(RUNS.c.cancel_requested).where(*mine).with_for_update()
            row = (await connection.execute(held)).one_or_none()
            if row is None:
                raise LeadershipLost(f"run {run.run_id}, attempt {run.attempts}")
            yield connection, bool(row.cancel_requested)


def _step(run: Run, position: int) -> tuple[Any, Any]:
    return STEPS.c.run_id == run.run_id, STEPS.c.position == position
