"""The tables of schema `ingest`, as the migrations make them, and how their rows become records."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    RowMapping,
    Select,
    SmallInteger,
    Table,
    Text,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.domain.account import Account
from services.ingest.domain.runs import Pipeline, Run, RunState, Schedule, StepRecord, StepState, Trigger
from services.ingest.workflow.errors import LeadershipLost
from services.runtime.database import database_errors, sqlstate
from services.runtime.errors import NotFound, Unavailable

# All statements are small: one that takes longer hangs.
PATIENCE = timedelta(seconds=30)
# No such table, no such schema.
NO_TABLES = ("42P01", "3F000")
MOMENT = DateTime(timezone=True)
METADATA = MetaData(schema="ingest")
RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("pipeline", Text),
    Column("state", Text),
    Column("trigger", Text),
    Column("logical_time", MOMENT),
    Column("request_id", Text),
    Column("parameters", JSONB),
    Column("counts", JSONB),
    Column("error", Text),
    Column("code_version", Text),
    Column("attempts", Integer),
    Column("cancel_requested", Boolean),
    Column("created_at", MOMENT),
    Column("started_at", MOMENT),
    Column("ended_at", MOMENT),
)
STEPS = Table(
    "steps",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("name", Text),
    Column("state", Text),
    Column("started_at", MOMENT),
    Column("ended_at", MOMENT),
    Column("counts", JSONB),
    Column("output", JSONB),
    Column("detail", Text),
    Column("error", Text),
    Column("attempts", Integer),
)
SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("pipeline", Text, primary_key=True),
    Column("cron", Text),
    Column("paused", Boolean),
    Column("last_time", MOMENT),
    Column("created_at", MOMENT),
)
LEADERSHIP = Table("leadership", METADATA, Column("epoch", BigInteger))
SWEEPS = Table("sweeps", METADATA, Column("run_id", Uuid, primary_key=True), Column("ended_at", MOMENT))
ACTIVE = RUNS.c.state.in_([state.value for state in RunState if state.is_active])


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end; Unavailable when the database is away, or was not migrated."""
    async with table_errors(), asyncio.timeout(PATIENCE.total_seconds()), engine.begin() as connection:
        yield connection


@asynccontextmanager
async def table_errors() -> AsyncIterator[None]:
    """Turns what the database throws while it is away, or was not migrated, into Unavailable."""
    try:
        async with database_errors():
            yield
    except DBAPIError as error:
        if sqlstate(error) in NO_TABLES:
            raise Unavailable(
                "the tables of schema ingest are missing; run python -m services.warehouse.migrate"
            ) from error
        raise


async def check_tables(engine: AsyncEngine) -> None:
    """Raises Unavailable unless the tables can be read: without them nothing can be done."""
    async with transaction(engine) as connection:
        await connection.execute(select(RUNS.c.run_id).limit(1))


async def require_leader(connection: AsyncConnection, epoch: int) -> None:
    """Raises LeadershipLost when there was a later leader; until the transaction's end there will be none."""
    if await connection.scalar(select(LEADERSHIP.c.epoch).with_for_update(read=True)) != epoch:
        raise LeadershipLost(f"there is a leader after that of epoch {epoch}")


async def load_run(connection: AsyncConnection, run_id: UUID) -> Run:
    """One run with its steps, or NotFound."""
    runs = await load_runs(connection, select(RUNS).where(RUNS.c.run_id == run_id))
    if not runs:
        raise NotFound(f"no run {run_id}; list them with ListRuns", metadata={"run_id": str(run_id)})
    return runs[0]


async def load_runs(connection: AsyncConnection, chosen: Select[Any]) -> list[Run]:
    """Runs with their steps, in the order of the selection."""
    rows = (await connection.execute(chosen)).mappings().all()
    wanted = STEPS.c.run_id.in_([row["run_id"] for row in rows])
    found = await connection.execute(select(STEPS).where(wanted).order_by(STEPS.c.run_id, STEPS.c.position))
    steps: dict[UUID, list[RowMapping]] = {}
    for step in found.mappings():
        steps.setdefault(step["run_id"], []).append(step)
    return [_run(row, steps.get(row["run_id"], [])) for row in rows]


def schedule_record(row: RowMapping) -> Schedule:
    """A row of `schedules` as a record."""
    return Schedule(Pipeline(row["pipeline"]), row["cron"], row["paused"], row["last_time"], row["created_at"])


def _run(row: RowMapping, steps: Sequence[RowMapping]) -> Run:
    plain = {name: value for name, value in row.items() if name != "counts"}
    return Run(
        **plain
        | {
            "pipeline": Pipeline(row["pipeline"]),
            "state": RunState(row["state"]),
            "trigger": Trigger(row["trigger"]),
            "account": Account(**row["counts"]) if row["counts"] else None,
            "steps": tuple(_step(step) for step in steps),
        }
    )


def _step(row: RowMapping) -> StepRecord:
    fields = {name: value for name, value in row.items() if name != "run_id"}
    return StepRecord(**fields | {"state": StepState(row["state"])})
