"""How the warehouse's published views are read: in one snapshot of the database, large answers by COPY."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.contracts.bundle import LedgerPlace
from services.indexer.adapters.copied_rows import CopiedRows
from services.indexer.adapters.partition_files import PartitionFiles
from services.runtime.database import DatabaseUnavailable, database_errors, sqlstate
from services.runtime.errors import FailedPrecondition, Unavailable

ROWS_AT_ONCE = 65_536
READ_TIMEOUT = timedelta(minutes=30)
# undefined table, undefined schema, insufficient privilege, undefined column
UNMIGRATED = {"42P01", "3F000", "42501", "42703"}
QUERY_CANCELED = "57014"
REPEATABLE_READ = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
# Neither retired nor merged into another: only these can be recommended.
LISTED = "NOT is_retired AND successor_code IS NULL"
# Four fields of fixed width, see copied_rows; the key is contracts.client_keys.client_key. All conversions are exact.
KEY = "substring(sha256(convert_to(external_client_id, 'UTF8')) FOR 16)"
ROW = f"{KEY}, coalesce(number, {{no_company}})::integer, payment_at, (amount * 100)::bigint"
NEWEST_LOAD = "SELECT sequence, load_id, committed_at FROM warehouse.published_loads ORDER BY sequence DESC LIMIT 1"
ERASURES = "SELECT erasure_id FROM warehouse.published_erasures ORDER BY erasure_id"


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """All that is read through it is of one moment. FailedPrecondition when the views are not there for us."""
    try:
        async with (
            database_errors(),
            asyncio.timeout(READ_TIMEOUT.total_seconds()),
            engine.connect() as connection,
        ):
            yield await connection.execution_options(**REPEATABLE_READ)
    except ProgrammingError as error:
        if sqlstate(error) not in UNMIGRATED:
            raise
        raise FailedPrecondition(
            "the warehouse's views are missing or not granted to us; run python -m services.warehouse.migrate, and "
            "make the indexer's database user a member of afin_indexer",
            reason="WAREHOUSE_NOT_MIGRATED",
        ) from error


async def check_views(engine: AsyncEngine) -> None:
    """Raises unless the newest of the views can be read: before the migration nothing can be built."""
    async with reading(engine) as connection:
        await newest_load(connection)


async def newest_load(connection: AsyncConnection) -> LedgerPlace | None:
    """The newest load that is seen; None before the first."""
    row = (await connection.execute(text(NEWEST_LOAD))).mappings().one_or_none()
    return LedgerPlace.model_validate(dict(row)) if row else None


async def known_erasures(connection: AsyncConnection) -> tuple[str, ...]:
    """Ids of the erasures whose clients' payments are not seen any more."""
    return tuple((await connection.scalars(text(ERASURES))).all())


async def copy_payments(connection: AsyncConnection, query: str, arguments: list[Any], folder: Path) -> tuple[int, int]:
    """Writes the rows that a query of ROWs gives into partition files: how many, and how many were left out."""
    copied = CopiedRows(ROWS_AT_ONCE)
    driver: Any = (await connection.get_raw_connection()).driver_connection
    with PartitionFiles(folder) as files:

        async def sink(content: bytes) -> None:
            copied.add(content)
            if copied.is_full:
                await asyncio.to_thread(lambda: files.add(copied.rows()))

        async with driver_errors(driver):
            await driver.copy_from_query(query, *arguments, output=sink, format="binary")
        await asyncio.to_thread(lambda: files.add(copied.last_rows()))
        return files.rows, copied.left_out


@asynccontextmanager
async def driver_errors(driver: asyncpg.Connection) -> AsyncIterator[None]:
    """COPY goes to the driver itself. An error's own text may quote a row: it goes no further than here."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if driver.is_closed():
            raise DatabaseUnavailable from error
        state = getattr(error, "sqlstate", None)
        if state == QUERY_CANCELED:
            raise Unavailable("the database did not end the reading of payments in time; see its load") from None
        raise RuntimeError(f"PostgreSQL refused to give payments: SQLSTATE {state}") from None
