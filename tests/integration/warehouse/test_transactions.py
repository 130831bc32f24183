"""Loads wait for each other, repeat on a conflict, end in time, and leave nothing behind when they die."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.errors import DeadlineExceeded, FailedPrecondition, Unavailable
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.failures import StatementRefused, statement_errors
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.workflow import Loads, LoadTransaction
from tests.integration.warehouse.conftest import TIMEOUT, Loader
from tests.integration.warehouse.lake_writer import put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation, history
from tests.integration.warehouse.paused_lake import PausedLake
from tests.integration.warehouse.tables import stored_versions

PATIENCE = 30
ROWS = [
    Observation(f"p{number % 40}", "A", EPOCH + timedelta(hours=number), amount=Decimal(number))
    for number in range(200)
]


async def test_a_load_waits_for_the_one_before_it_and_sees_its_rows(
    engine: AsyncEngine, warehouse_url: str, lake: ParquetLake, object_store: LocalObjectStore
) -> None:
    reached, proceed = asyncio.Event(), asyncio.Event()
    paused = PausedLake(lake, reached, proceed.wait)
    async with open_database(warehouse_url, "other-replica") as other:
        first = Loads(PostgresLoadStore(engine, TIMEOUT), paused, 0.5, utc_now)
        second = Loads(PostgresLoadStore(other, TIMEOUT), lake, 0.5, utc_now)
        one = asyncio.create_task(first.load_payments(put_payments(object_store, "run-1", ROWS)))
        await asyncio.wait_for(reached.wait(), PATIENCE)
        two = asyncio.create_task(second.load_payments(put_payments(object_store, "run-2", ROWS)))
        await _someone_waits_for_the_lock(engine)
        assert not two.done()
        proceed.set()
        await asyncio.wait_for(one, PATIENCE)
        assert (await asyncio.wait_for(two, PATIENCE)).counts == LoadCounts(new=0, changed=0, unchanged=200)


async def test_loaders_that_race_lose_and_double_nothing(
    warehouse_url: str,
    loads: Loads,
    lake: ParquetLake,
    object_store: LocalObjectStore,
    connection: asyncpg.Connection,
) -> None:
    async with open_database(warehouse_url, "other-replica") as other:
        replicas = [loads, Loads(PostgresLoadStore(other, TIMEOUT), lake, 0.5, utc_now)]
        requests = [put_payments(object_store, f"run-{n}", ROWS[n * 20 : n * 20 + 60]) for n in range(8)]
        await asyncio.gather(*(replicas[n % 2].load_payments(request) for n, request in enumerate(requests)))
    assert await stored_versions(connection) == history(ROWS)


async def test_the_same_load_sent_twice_at_once_is_applied_once(
    warehouse_url: str, loads: Loads, lake: ParquetLake, object_store: LocalObjectStore
) -> None:
    request = put_payments(object_store, "run-1", ROWS)
    async with open_database(warehouse_url, "other-replica") as other:
        twin = Loads(PostgresLoadStore(other, TIMEOUT), lake, 0.5, utc_now)
        answers = await asyncio.gather(loads.load_payments(request), twin.load_payments(request))
    assert sorted(answer.replayed for answer in answers) == [False, True]
    assert answers[0].counts == answers[1].counts


async def test_a_killed_connection_leaves_nothing_and_the_same_load_can_be_sent_again(
    engine: AsyncEngine, lake: ParquetLake, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    async def kill() -> None:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )

    request = put_payments(object_store, "run-1", ROWS)
    store = PostgresLoadStore(engine, TIMEOUT)
    with pytest.raises(Unavailable):
        await Loads(store, PausedLake(lake, asyncio.Event(), kill), 0.5, utc_now).load_payments(request)
    assert await stored_versions(connection) == set()
    assert not (await Loads(store, lake, 0.5, utc_now).load_payments(request)).replayed
    assert await stored_versions(connection) == history(ROWS)


async def test_a_cancelled_load_frees_the_lock(
    engine: AsyncEngine, lake: ParquetLake, loader: Loader, object_store: LocalObjectStore
) -> None:
    reached = asyncio.Event()
    stuck = Loads(PostgresLoadStore(engine, TIMEOUT), PausedLake(lake, reached, asyncio.Event().wait), 0.5, utc_now)
    task = asyncio.create_task(stuck.load_payments(put_payments(object_store, "run-1", ROWS)))
    await asyncio.wait_for(reached.wait(), PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await asyncio.wait_for(loader.payments(*ROWS[:3]), PATIENCE)).counts.new == 3


async def test_a_load_that_takes_too_long_is_ended_and_the_next_one_runs(
    engine: AsyncEngine, lake: ParquetLake, loader: Loader, object_store: LocalObjectStore
) -> None:
    impatient = PostgresLoadStore(engine, timedelta(seconds=0.3))
    stuck = Loads(impatient, PausedLake(lake, asyncio.Event(), asyncio.Event().wait), 0.5, utc_now)
    with pytest.raises(DeadlineExceeded, match="WAREHOUSE_LOAD_TIMEOUT_SECONDS") as ended:
        await stuck.load_payments(put_payments(object_store, "run-1", ROWS))
    assert ended.value.reason == "LOAD_TIMEOUT"
    assert (await loader.payments(*ROWS[:3])).counts.new == 3


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_work_that_met_a_conflict_is_done_again_from_the_start(engine: AsyncEngine, code: str) -> None:
    tries = 0

    async def work(transaction: LoadTransaction) -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            await _raise_in_database(transaction, code)
        return tries

    assert await PostgresLoadStore(engine, TIMEOUT).transact(work) == 3


async def test_a_conflict_that_does_not_end_is_told_as_unavailable(engine: AsyncEngine) -> None:
    async def work(transaction: LoadTransaction) -> None:
        await _raise_in_database(transaction, "40001")

    with pytest.raises(Unavailable, match="try again"):
        await PostgresLoadStore(engine, TIMEOUT).transact(work)


async def test_what_postgresql_refuses_is_told_without_the_row(engine: AsyncEngine, loader: Loader) -> None:
    await loader.payments(ROWS[0])
    with pytest.raises(StatementRefused, match="payments_ends_after_start") as refused:
        async with statement_errors(), engine.begin() as opened:
            await opened.execute(
                text("UPDATE warehouse.payments SET status = :status, end_date = start_date, is_current = false"),
                {"status": "secret"},
            )
    assert refused.value.__suppress_context__
    assert "secret" not in str(refused.value)


async def test_a_database_that_is_not_there_is_unavailable(lake: ParquetLake, object_store: LocalObjectStore) -> None:
    async with open_database("postgresql://u:secret@127.0.0.1:1/afin", "test") as nowhere:
        loads = Loads(PostgresLoadStore(nowhere, TIMEOUT), lake, 0.5, utc_now)
        with pytest.raises(Unavailable) as refused:
            await loads.load_payments(put_payments(object_store, "run-1", ROWS))
    assert "secret" not in str(refused.value)


async def test_a_database_that_was_never_migrated_is_told_what_to_run(
    database_url: str, lake: ParquetLake, object_store: LocalObjectStore
) -> None:
    async with open_database(database_url, "test") as bare:
        loads = Loads(PostgresLoadStore(bare, TIMEOUT), lake, 0.5, utc_now)
        with pytest.raises(FailedPrecondition, match=r"services\.warehouse\.migrate"):
            await loads.load_payments(put_payments(object_store, "run-1", ROWS))


async def _someone_waits_for_the_lock(engine: AsyncEngine) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(PATIENCE), engine.connect() as connection:
        while not (await connection.execute(text(waiting))).scalar_one():
            await connection.rollback()


async def _raise_in_database(transaction: LoadTransaction, code: str) -> None:
    connection = transaction._connection  # type: ignore[attr-defined]
    await connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '{code}'; END $$"))
