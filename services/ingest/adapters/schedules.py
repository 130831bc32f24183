"""Schedules in PostgreSQL: they outlive the process, and a due time and its run are settled in one transaction."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.adapters.runs import insert_run
from services.ingest.adapters.tables import RUNS, SCHEDULES, require_leader, schedule_record, transaction
from services.ingest.domain.runs import Pipeline, Schedule
from services.ingest.workflow.values import Due, NewRun
from services.runtime.clock import Clock
from services.runtime.errors import NotFound, Unavailable


class PostgresScheduleTable:
    """See services.ingest.workflow.ports.ScheduleTable. `epoch`: a leader's; what only leaders do is refused later."""

    def __init__(self, engine: AsyncEngine, clock: Clock, epoch: int | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._epoch = epoch

    async def put(self, crons: dict[Pipeline, str]) -> None:
        """See ScheduleTable."""
        now = self._clock()
        rows = [
            {"pipeline": pipeline.value, "cron": cron, "paused": False, "last_time": now, "created_at": now}
            for pipeline, cron in crons.items()
        ]
        entry = insert(SCHEDULES).values(rows)
        others = SCHEDULES.c.pipeline.not_in([pipeline.value for pipeline in crons])
        async with self._leading() as connection:
            await connection.execute(delete(SCHEDULES).where(others))
            await connection.execute(
                entry.on_conflict_do_update(index_elements=["pipeline"], set_={"cron": entry.excluded.cron})
            )

    async def all(self) -> list[Schedule]:
        """See ScheduleTable."""
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(select(SCHEDULES).order_by(SCHEDULES.c.pipeline))).mappings()
            return [schedule_record(row) for row in rows]

    async def set_paused(self, pipeline: Pipeline, *, paused: bool) -> Schedule:
        """See ScheduleTable."""
        async with transaction(self._engine) as connection:
            schedule = await _locked(connection, pipeline)
            if schedule is None and await connection.scalar(select(SCHEDULES.c.pipeline).limit(1)):
                raise NotFound(f"{pipeline} has no schedule; set INGEST_{pipeline.name}_SCHEDULE")
            if schedule is None:
                raise Unavailable("ingest has not entered its schedules yet; try again in a moment")
            changes: dict[str, object] = {"paused": paused}
            if schedule.paused and not paused:
                # The times of the pause were not wanted: they are settled, not missed.
                changes["last_time"] = self._clock()
            row = await connection.execute(update(SCHEDULES).where(_is(pipeline)).values(changes).returning(SCHEDULES))
            return schedule_record(row.mappings().one())

    async def catch_up(
        self, pipeline: Pipeline, decide: Callable[[Schedule], datetime | None], make: Callable[[datetime], NewRun]
    ) -> Due:
        """See ScheduleTable."""
        async with self._leading() as connection:
            schedule = await _locked(connection, pipeline)
            due = None if schedule is None else decide(schedule)
            if due is None:
                return Due.NOTHING
            made = await insert_run(connection, make(due), self._clock)
            if not made and not await _exists(connection, pipeline, due):
                return Due.BLOCKED
            await connection.execute(update(SCHEDULES).where(_is(pipeline)).values(last_time=due))
            return Due.CREATED if made else Due.NOTHING

    @asynccontextmanager
    async def _leading(self) -> AsyncIterator[AsyncConnection]:
        async with transaction(self._engine) as connection:
            if self._epoch is not None:
                await require_leader(connection, self._epoch)
            yield connection


async def _locked(connection: AsyncConnection, pipeline: Pipeline) -> Schedule | None:
    found = await connection.execute(select(SCHEDULES).where(_is(pipeline)).with_for_update())
    row = found.mappings().one_or_none()
    return None if row is None else schedule_record(row)


async def _exists(connection: AsyncConnection, pipeline: Pipeline, logical_time: datetime) -> bool:
    same = (RUNS.c.pipeline == pipeline.value, RUNS.c.logical_time == logical_time)
    return await connection.scalar(select(RUNS.c.run_id).where(*same)) is not None


def _is(pipeline: Pipeline) -> ColumnElement[bool]:
    return SCHEDULES.c.pipeline == pipeline.value
