"""A sieve lets pass all that a load names, as PostgreSQL hashes it, and little else."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncEngine

from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.sieve import PASSES, Sieve
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.workflow import LoadTransaction
from tests.integration.warehouse.conftest import TIMEOUT
from tests.integration.warehouse.lake_writer import record_batches
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation
from tests.integration.warehouse.tables import written_rows

FARTHEST = [datetime(1, 1, 2, tzinfo=UTC), datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
NEAREST = [datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)]
NAMED = [*FARTHEST, *NEAREST, *(EPOCH + number * timedelta(hours=1) + number * MICROSECOND for number in range(2_000))]
OTHERS = [moment + 3 * MICROSECOND for moment in NAMED[4:]]
BY_SCAN = 10**9


async def passing(connection: asyncpg.Connection, marks: bytes, moments: Sequence[datetime]) -> int:
    condition = PASSES.format(row="r").replace(":marks", "$1")
    rows = "SELECT unnest(CAST($2 AS timestamptz[])) AS updated_at"
    count: int = await connection.fetchval(f"SELECT count(*) FROM ({rows}) AS r WHERE {condition}", marks, moments)
    return count


async def test_all_that_is_named_passes_and_hardly_anything_else(connection: asyncpg.Connection) -> None:
    sieve = Sieve()
    for half in (NAMED[::2], NAMED[1::2]):
        moments = pa.array(half, pa.timestamp("us", tz="UTC"))
        sieve.look_at(pa.RecordBatch.from_arrays([moments], names=["updated_at"]))
    assert await passing(connection, sieve.to_bytes(), NAMED) == len(NAMED)
    assert await passing(connection, sieve.to_bytes(), OTHERS) < len(OTHERS) / 100


async def test_a_sieve_that_would_lose_rows_is_not_used(engine: AsyncEngine, connection: asyncpg.Connection) -> None:
    rows = [Observation(f"p{number}", "A", EPOCH) for number in range(10)]

    async def work(transaction: LoadTransaction) -> LoadCounts:
        await transaction.stage("payments", record_batches(rows))
        transaction._sieve = Sieve()  # type: ignore[attr-defined]
        return await transaction.merge_payments("load-1", EPOCH)

    store = PostgresLoadStore(engine, TIMEOUT, BY_SCAN)
    await store.transact(work)
    before = await written_rows(connection)
    assert await store.transact(work) == LoadCounts(new=0, changed=0, unchanged=10)
    assert await written_rows(connection) == before
