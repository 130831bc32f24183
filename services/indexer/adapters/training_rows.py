"""Training rows from the warehouse's published views into files: no client id leaves the database, only its key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.indexer.adapters.copied_rows import NO_COMPANY, CopiedRows
from services.indexer.adapters.partition_files import PartitionFiles
from services.indexer.adapters.training_files import CATALOGUE_FILE, CATALOGUE_SCHEMA
from services.indexer.adapters.work_folder import disk_errors
from services.indexer.domain.training import RowsRead, Selection
from services.runtime.database import DatabaseUnavailable, database_errors, sqlstate
from services.runtime.errors import FailedPrecondition, Unavailable

ROWS_AT_ONCE = 65_536
COMPANIES_AT_ONCE = 10_000
READ_TIMEOUT = timedelta(minutes=30)
# undefined table, undefined schema, insufficient privilege
UNMIGRATED = {"42P01", "3F000", "42501"}
QUERY_CANCELED = "57014"

WATERMARK = "SELECT value FROM warehouse.published_watermark WHERE dataset = 'payments'"
ERASURES = "SELECT erasure_id FROM warehouse.published_erasures ORDER BY erasure_id"
# Neither retired nor merged into another: only these can be recommended.
LISTED = "NOT is_retired AND successor_code IS NULL"
# A company's number is its row here: codes are compared by bytes.
CATALOGUE = f"""
SELECT {", ".join(CATALOGUE_SCHEMA.names)} FROM warehouse.training_companies WHERE {LISTED} ORDER BY company_code
"""
# Four fields of fixed width, see copied_rows; the key is contracts.bundle.client_key. All conversions are exact.
# What was paid under a code that gave way counts for its successor.
PAYMENTS = f"""
SELECT substring(sha256(convert_to(external_client_id, 'UTF8')) FOR 16), coalesce(number, {NO_COMPANY})::integer,
    payment_at, (amount * 100)::bigint
FROM (
    SELECT external_client_id, company_code, payment_at, amount FROM warehouse.training_payments
    WHERE status = ANY($1) AND ($2::timestamptz IS NULL OR created_at >= $2) {{newest}}
) AS payments
LEFT JOIN (
    SELECT known.company_code, number
    FROM warehouse.training_companies AS known
    JOIN (
        SELECT company_code, row_number() OVER (ORDER BY company_code) - 1 AS number
        FROM warehouse.training_companies WHERE {LISTED}
    ) AS listed ON listed.company_code = coalesce(successor_code, known.company_code)
) AS companies USING (company_code)
"""
NEWEST_ONLY = "ORDER BY payment_at DESC, payment_id, company_code LIMIT $3"
REPEATABLE_READ = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class WarehouseRows:
    """See TrainingRows. Rows, catalogue and watermark are of one snapshot of the database."""

    def __init__(self, engine: AsyncEngine, selection: Selection) -> None:
        self._engine = engine
        self._selection = selection

    async def read(self, folder: Path) -> RowsRead:
        """See TrainingRows."""
        try:
            async with (
                database_errors(),
                asyncio.timeout(READ_TIMEOUT.total_seconds()),
                self._engine.connect() as connection,
            ):
                return await self._read(await connection.execution_options(**REPEATABLE_READ), folder)
        except ProgrammingError as error:
            if sqlstate(error) not in UNMIGRATED:
                raise
            raise FailedPrecondition(
                "the warehouse's views are missing or not granted to us; run python -m services.warehouse.migrate, and "
                "make the indexer's database user a member of afin_indexer",
                reason="WAREHOUSE_NOT_MIGRATED",
            ) from error

    async def _read(self, connection: AsyncConnection, folder: Path) -> RowsRead:
        watermark: datetime | None = await connection.scalar(text(WATERMARK))
        erasures = (await connection.scalars(text(ERASURES))).all()
        companies = await _write_catalogue(connection, folder / CATALOGUE_FILE)
        payments, left_out = await self._write_payments(connection, folder)
        read = RowsRead(payments, left_out, companies, watermark, tuple(erasures))
        _require_rows(read)
        return read

    async def _write_payments(self, connection: AsyncConnection, folder: Path) -> tuple[int, int]:
        """How many rows were written and how many left out."""
        selection, copied = self._selection, CopiedRows(ROWS_AT_ONCE)
        limit = [selection.limit] if selection.limit else []
        query = PAYMENTS.format(newest=NEWEST_ONLY if limit else "")
        arguments = [list(selection.statuses), selection.created_since, *limit]
        driver: Any = (await connection.get_raw_connection()).driver_connection
        with PartitionFiles(folder) as files:

            async def sink(content: bytes) -> None:
                copied.add(content)
                if copied.is_full:
                    await asyncio.to_thread(lambda: files.add(copied.rows()))

            async with _copy_errors(driver):
                await driver.copy_from_query(query, *arguments, output=sink, format="binary")
            await asyncio.to_thread(lambda: files.add(copied.last_rows()))
            return files.rows, copied.left_out


@asynccontextmanager
async def _copy_errors(driver: asyncpg.Connection) -> AsyncIterator[None]:
    """COPY goes to the driver itself. An error's own text may quote a row: it goes no further than here."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if driver.is_closed():
            raise DatabaseUnavailable from error
        state = getattr(error, "sqlstate", None)
        if state == QUERY_CANCELED:
            raise Unavailable("the database did not end the reading of payments in time; see its load") from None
        raise RuntimeError(f"PostgreSQL refused to copy payments: SQLSTATE {state}") from None


async def _write_catalogue(connection: AsyncConnection, path: Path) -> int:
    """Writes the companies as Parquet; how many they are."""
    batches = []
    options = {"yield_per": COMPANIES_AT_ONCE}
    async with connection.stream(text(CATALOGUE), execution_options=options) as result:
        async for rows in result.partitions():
            columns = [
                pa.array(values, field.type)
                for values, field in zip(zip(*rows, strict=True), CATALOGUE_SCHEMA, strict=True)
            ]
            batches.append(pa.record_batch(columns, schema=CATALOGUE_SCHEMA))
    table = pa.Table.from_batches(batches, CATALOGUE_SCHEMA)
    with disk_errors():
        await asyncio.to_thread(pq.write_table, table, path)
    return len(table)


def _require_rows(read: RowsRead) -> None:
    if read.payments:
        return
    if read.left_out:
        known = (
            f"the {read.companies} companies of the catalogue" if read.companies else "the catalogue, which is empty"
        )
        raise FailedPrecondition(
            f"no training payment is to one of {known}; run the pipeline companies first", reason="NO_COMPANIES"
        )
    raise FailedPrecondition(
        "the warehouse holds no training payments; run the pipelines companies and recommendations first, or widen "
        "INDEXER_STATUSES and INDEXER_CREATED_SINCE",
        reason="NO_TRAINING_PAYMENTS",
    )
