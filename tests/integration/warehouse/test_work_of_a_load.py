"""The work of a small load does not grow with the table."""

from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.workflow import LoadTransaction
from tests.integration.warehouse.conftest import TIMEOUT
from tests.integration.warehouse.lake_writer import record_batches
from tests.integration.warehouse.oracle import EPOCH, Observation

MANY_PAYMENTS = """
INSERT INTO warehouse.payments
SELECT 'p' || n, 'A', NULL, 'paid', 1, 'c', now(), $1, $1, NULL, true, now(), 'run-0'
FROM generate_series(1, 20000) AS n
"""
# What this transaction has read so far.
READ = """
SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables
WHERE schemaname = 'warehouse' AND relname = 'payments'
"""


async def test_a_small_load_reads_its_own_keys_alone(engine: AsyncEngine, connection: asyncpg.Connection) -> None:
    await connection.execute(MANY_PAYMENTS, EPOCH)
    await connection.execute("ANALYZE warehouse.payments")
    seen = [Observation(f"p{number}", "A", EPOCH, status="refunded") for number in range(1, 21)]

    async def work(transaction: LoadTransaction) -> tuple[LoadCounts, Any]:
        await transaction.stage("payments", record_batches(seen))
        counts = await transaction.merge_payments("run-1", EPOCH)
        inside = transaction._connection  # type: ignore[attr-defined]
        return counts, (await inside.execute(text(READ))).one()

    counts, read = await PostgresLoadStore(engine, TIMEOUT).transact(work)
    assert counts.changed == 20
    assert read.seq_tup_read == 0
    assert 0 < read.idx_tup_fetch < 500
