"""The tables of the source, and the load of a Dataset into them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa

from demo.columns import TIME
from demo.dataset import Dataset

# Held while the schema is made and while a dataset is loaded: one at a time, whoever does it.
ADVISORY_LOCK = 0x5041_594D
ROWS_PER_BATCH = 10_000

# Byte order makes paging the same under every locale; the key's index alone finds the rows of a page.
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS source;
CREATE TABLE IF NOT EXISTS source.payments (
    id text COLLATE "C" NOT NULL,
    company_code text COLLATE "C" NOT NULL,
    payment_at timestamptz,
    status text,
    amount numeric(20, 2),
    external_client_id text,
    created_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (id, company_code) INCLUDE (updated_at)
);
CREATE INDEX IF NOT EXISTS payments_updated_at ON source.payments (updated_at);
CREATE INDEX IF NOT EXISTS payments_pending ON source.payments (updated_at) WHERE status = 'pending';
CREATE TABLE IF NOT EXISTS source.companies (
    id bigint NOT NULL,
    company_code text COLLATE "C" PRIMARY KEY,
    company_name text NOT NULL,
    category_id bigint,
    category_name text,
    is_top_biller boolean
);
CREATE INDEX IF NOT EXISTS companies_id ON source.companies (id, company_code);
CREATE TABLE IF NOT EXISTS source.datasets (
    fingerprint text PRIMARY KEY,
    payments bigint NOT NULL,
    companies bigint NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
"""


@dataclass(frozen=True)
class LoadReport:
    """What a load did: `loaded` is False when this very dataset stood there already, and nothing was touched."""

    loaded: bool
    payments: int
    companies: int
    superseded: int
    fingerprint: str


async def create_schema(connection: asyncpg.Connection) -> None:
    """Makes the schema `source` and its tables where they are not there yet."""
    async with connection.transaction():
        await _lock(connection)
        await connection.execute(_SCHEMA)


async def load(connection: asyncpg.Connection, dataset: Dataset) -> LoadReport:
    """Makes the source hold exactly `dataset`, in one transaction; the dataset that was loaded last is left alone.

    What the live mode added since then stays in that case, too. The connection must not be in a transaction.
    """
    fingerprint = await asyncio.to_thread(dataset.fingerprint)
    async with connection.transaction():
        await _lock(connection)
        loaded = not await connection.fetchval("SELECT true FROM source.datasets WHERE fingerprint = $1", fingerprint)
        if loaded:
            await _replace(connection, dataset, fingerprint)
    if loaded:
        # Index-only scans need the visibility map; outside the transaction, as PostgreSQL asks.
        await connection.execute("VACUUM (ANALYZE) source.payments, source.companies")
    return LoadReport(loaded, len(dataset.payments), len(dataset.companies), dataset.superseded, fingerprint)


async def _lock(connection: asyncpg.Connection) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)


async def _replace(connection: asyncpg.Connection, dataset: Dataset, fingerprint: str) -> None:
    await connection.execute("TRUNCATE source.payments, source.companies, source.datasets")
    await _copy(connection, "payments", dataset.payments.rename_columns({"payment_id": "id"}))
    await _copy(connection, "companies", dataset.companies.rename_columns({"company_id": "id"}))
    await connection.execute(
        "INSERT INTO source.datasets (fingerprint, payments, companies) VALUES ($1, $2, $3)",
        fingerprint,
        len(dataset.payments),
        len(dataset.companies),
    )


async def _copy(connection: asyncpg.Connection, table: str, rows: pa.Table) -> None:
    await connection.copy_records_to_table(
        table, schema_name="source", columns=rows.column_names, records=_records(rows)
    )


async def _records(table: pa.Table) -> AsyncIterator[tuple[Any, ...]]:
    """The rows as asyncpg wants them, a batch at a time and made off the event loop."""
    for batch in table.to_batches(max_chunksize=ROWS_PER_BATCH):
        columns = await asyncio.to_thread(lambda columns: [_to_python(column) for column in columns], batch.columns)
        for record in zip(*columns, strict=True):
            yield record


def _to_python(column: pa.Array) -> list[Any]:
    if column.type != TIME:
        return list(column.to_pylist())
    # Five times as fast as to_pylist(), which looks the time zone up for each value.
    naive: list[Any] = np.asarray(column).astype(object).tolist()
    return [None if time is None else time.replace(tzinfo=UTC) for time in naive]
