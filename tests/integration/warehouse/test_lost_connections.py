"""A connection that breaks in a load: the load is done once, and its caller told so, whenever that was."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import LOCK, PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import TIMEOUT
from tests.integration.warehouse.lake_writer import put_payments
from tests.integration.warehouse.meddling_proxy import Cut, meddling_proxy
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation, history
from tests.integration.warehouse.paused_lake import PausedLake
from tests.integration.warehouse.tables import stored_versions
from tests.vanishing_proxy import vanishing_proxy

PATIENCE = 30
ROWS = [Observation(f"p{number}", "A", EPOCH) for number in range(20)]
KILL_THE_LOADER = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.mark.parametrize("cut", ["before COMMIT", "before its answer"])
async def test_a_load_whose_commit_met_a_broken_connection_is_told_as_it_was_committed(
    warehouse_url: str,
    lake: ParquetLake,
    object_store: LocalObjectStore,
    connection: asyncpg.Connection,
    cut: Cut,
) -> None:
    request = put_payments(object_store, "run-1", ROWS, watermark=EPOCH)
    async with meddling_proxy(warehouse_url, cut) as (url, proxy), open_database(url, "test") as meddled:
        load = await Loads(PostgresLoadStore(meddled, TIMEOUT), lake, 0.5, utc_now).load_payments(request)
    assert proxy.has_cut.is_set()
    assert load.replayed is (cut == "before its answer")
    assert (load.counts, load.watermark) == (LoadCounts(new=20, changed=0, unchanged=0), EPOCH)
    assert await connection.fetchval("SELECT count(*) FROM warehouse.loads") == 1
    assert await stored_versions(connection) == history(ROWS)


async def test_a_load_whose_connection_was_killed_once_is_done_again_from_its_start(
    engine: AsyncEngine, lake: ParquetLake, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    kills = 0

    async def kill_the_first() -> None:
        nonlocal kills
        kills += 1
        if kills == 1:
            await connection.execute(KILL_THE_LOADER)

    paused = PausedLake(lake, asyncio.Event(), kill_the_first)
    request = put_payments(object_store, "run-1", ROWS)
    load = await Loads(PostgresLoadStore(engine, TIMEOUT), paused, 0.5, utc_now).load_payments(request)
    assert not load.replayed
    assert kills == 2
    assert await stored_versions(connection) == history(ROWS)


async def test_a_load_whose_database_vanishes_in_its_copy_is_done_again_once_it_is_back(
    warehouse_url: str, lake: ParquetLake, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    tries = 0
    async with (
        vanishing_proxy(warehouse_url) as (url, proxy),
        open_database(url, "test", silence=timedelta(seconds=1)) as engine,
    ):

        async def vanish_once() -> None:
            nonlocal tries
            tries += 1
            if tries == 1:
                proxy.vanish()

        loads = Loads(PostgresLoadStore(engine, TIMEOUT), PausedLake(lake, asyncio.Event(), vanish_once), 0.5, utc_now)
        load = await asyncio.wait_for(loads.load_payments(put_payments(object_store, "run-1", ROWS)), PATIENCE)

    assert (load.replayed, tries) == (False, 2)
    assert await stored_versions(connection) == history(ROWS)


async def test_a_load_that_gave_way_in_a_deadlock_is_done_again(
    engine: AsyncEngine, lake: ParquetLake, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    tries = 0

    async def count() -> None:
        nonlocal tries
        tries += 1

    loads = Loads(PostgresLoadStore(engine, TIMEOUT), PausedLake(lake, asyncio.Event(), count), 0.5, utc_now)
    await loads.load_payments(put_payments(object_store, "run-1", ROWS))
    changed = [replace(row, updated_at=EPOCH + MICROSECOND, status="refunded") for row in ROWS]
    # Who waits first looks for a deadlock first, and gives way; the other would look in an hour.
    await connection.execute("SET deadlock_timeout = '1h'")
    async with connection.transaction():
        await connection.execute("SELECT FROM warehouse.payments WHERE payment_id = 'p7' FOR UPDATE")
        load = asyncio.create_task(loads.load_payments(put_payments(object_store, "run-2", changed)))
        await _until(connection, "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
        await connection.execute(LOCK)
    assert (await asyncio.wait_for(load, PATIENCE)).counts.changed == len(ROWS)
    assert tries == 3
    assert await stored_versions(connection) == history([*ROWS, *changed])


async def _until(connection: asyncpg.Connection, count: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await connection.fetchval(count):
            pass
