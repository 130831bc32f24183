"""Training rows from the warehouse's published views into files: no client id leaves the database, only its key."""

import asyncio
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.indexer.adapters.copied_rows import NO_COMPANY
from services.indexer.adapters.training_files import CATALOGUE_FILE, CATALOGUE_SCHEMA
from services.indexer.adapters.warehouse_reading import (
    LISTED,
    ROW,
    copy_payments,
    known_erasures,
    newest_load,
    reading,
)
from services.indexer.adapters.work_folder import disk_errors
from services.indexer.domain.training import RowsRead, Selection
from services.runtime.errors import FailedPrecondition

COMPANIES_AT_ONCE = 10_000
WATERMARK = "SELECT value FROM warehouse.published_watermark WHERE dataset = 'payments'"
# A company's number is its row here: codes are compared by bytes.
CATALOGUE = f"""
SELECT {", ".join(CATALOGUE_SCHEMA.names)} FROM warehouse.training_companies WHERE {LISTED} ORDER BY company_code
"""
# What was paid under a code that gave way counts for its successor.
PAYMENTS = f"""
SELECT {ROW.format(no_company=NO_COMPANY)}
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


class WarehouseRows:
    """See TrainingRows. Rows, catalogue and watermark are of one snapshot of the database."""

    def __init__(self, engine: AsyncEngine, selection: Selection) -> None:
        self._engine = engine
        self._selection = selection

    async def read(self, folder: Path) -> RowsRead:
        """See TrainingRows."""
        async with reading(self._engine) as connection:
            watermark: datetime | None = await connection.scalar(text(WATERMARK))
            erasures, behind = await known_erasures(connection), await newest_load(connection)
            companies = await _write_catalogue(connection, folder / CATALOGUE_FILE)
            payments, left_out = await self._write_payments(connection, folder)
        read = RowsRead(payments, left_out, companies, watermark, erasures, behind)
        _require_rows(read)
        return read

    async def _write_payments(self, connection: AsyncConnection, folder: Path) -> tuple[int, int]:
        """How many rows were written and how many left out."""
        selection = self._selection
        limit = [selection.limit] if selection.limit else []
        query = PAYMENTS.format(newest=NEWEST_ONLY if limit else "")
        return await copy_payments(
            connection, query, [list(selection.statuses), selection.created_since, *limit], folder
        )


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
