"""Which runs are to be swept, in PostgreSQL, under the leader's fence."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.adapters.tables import (
    ACTIVE,
    RUNS,
    STEPS,
    SWEEPS,
    load_run,
    load_runs,
    require_leader,
    transaction,
)
from services.ingest.domain.runs import Pipeline, Run, RunState, StepState

UNSWEPT = (
    select(RUNS)
    .outerjoin(SWEEPS, SWEEPS.c.run_id == RUNS.c.run_id)
    .where(~ACTIVE, SWEEPS.c.ended_at.is_distinct_from(RUNS.c.ended_at))
    .order_by(RUNS.c.ended_at)
)
ACTIVE_ERASURE = exists().where(ACTIVE, RUNS.c.pipeline == Pipeline.ERASURE.value)


class PostgresSweepTable:
    """See services.ingest.workflow.ports.SweepTable."""

    def __init__(self, engine: AsyncEngine, epoch: int) -> None:
        self._engine = engine
        self._epoch = epoch

    async def due(self, ended_before: datetime, limit: int) -> list[Run]:
        """See SweepTable."""
        async with transaction(self._engine) as connection:
            return await load_runs(connection, UNSWEPT.where(RUNS.c.ended_at < ended_before).limit(limit))

    async def unsuccessful(self, limit: int) -> list[Run]:
        """See SweepTable."""
        async with transaction(self._engine) as connection:
            return await load_runs(connection, UNSWEPT.where(RUNS.c.state != RunState.SUCCEEDED.value).limit(limit))

    async def release(self, run_id: UUID, ended_before: datetime) -> Run | None:
        """See SweepTable."""
        ended = (RUNS.c.run_id == run_id, ~ACTIVE, RUNS.c.ended_at < ended_before)
        unfinished = (STEPS.c.run_id == run_id, STEPS.c.state != StepState.SUCCEEDED.value)
        async with transaction(self._engine) as connection:
            await require_leader(connection, self._epoch)
            held = select(RUNS.c.run_id, ACTIVE_ERASURE.label("erasing")).where(*ended).with_for_update(of=RUNS)
            row = (await connection.execute(held)).one_or_none()
            if row is None or row.erasing:
                return None
            await connection.execute(update(STEPS).where(*unfinished).values(output={}))
            return await load_run(connection, run_id)

    async def note_swept(self, run: Run) -> None:
        """See SweepTable."""
        noted = insert(SWEEPS).values(run_id=run.run_id, ended_at=run.ended_at)
        again = noted.on_conflict_do_update(index_elements=["run_id"], set_={"ended_at": noted.excluded.ended_at})
        async with transaction(self._engine) as connection:
            await connection.execute(again)
