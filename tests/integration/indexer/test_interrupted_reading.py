"""Readings of payments that are broken off while PostgreSQL copies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from services.indexer.adapters.training_rows import WarehouseRows
from services.indexer.domain.training import RowsRead, Selection
from services.runtime.database import open_database
from services.runtime.errors import Unavailable
from tests.integration.indexer.warehouse_rows import insert_rows, planted_companies, planted_payments
from tests.integration.ingest.serving import eventually

# Rows come when somebody lets go of a lock: only the execution of the COPY waits, not its planning.
WAITING_VIEW = """
CREATE OR REPLACE VIEW warehouse.training_payments AS
SELECT external_client_id, company_code, payment_id, payment_at, created_at, amount, status
FROM warehouse.payments WHERE pg_advisory_xact_lock_shared(1) IS NOT NULL
"""
WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@asynccontextmanager
async def reading(url: str, folder: Path) -> AsyncIterator[tuple["asyncio.Task[RowsRead]", asyncpg.Connection, int]]:
    """A reading whose COPY waits, a connection beside it, and the server's process that copies."""
    await insert_rows(url, planted_payments(), planted_companies())
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(WAITING_VIEW)
        await owner.execute("SELECT pg_advisory_lock(1)")
        async with open_database(url, "test") as engine:
            task = asyncio.create_task(WarehouseRows(engine, Selection()).read(folder))
            yield task, owner, await eventually(partial(owner.fetchval, WAITING), bool)
    finally:
        await owner.close()


@pytest.mark.parametrize("function", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_a_reading_that_the_server_ends_is_unavailable(
    empty_database: str, tmp_path: Path, function: str
) -> None:
    async with reading(empty_database, tmp_path) as (task, owner, process):
        await owner.execute(f"SELECT {function}({process})")

        with pytest.raises(Unavailable):
            await task


async def test_a_cancelled_reading_leaves_nothing_at_work_on_the_server(empty_database: str, tmp_path: Path) -> None:
    async with reading(empty_database, tmp_path) as (task, owner, _):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await eventually(partial(owner.fetchval, f"SELECT NOT EXISTS ({WAITING})"), bool)
