"""Transactions in PostgreSQL for loads: one at a time over all replicas, bounded in time, repeated on a conflict."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import TypeVar

import pyarrow as pa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.contracts.lake import COMPANIES_SCHEMA, PAYMENTS_SCHEMA
from services.runtime.database import DatabaseUnavailable
from services.runtime.errors import DeadlineExceeded
from services.warehouse.adapters import (
    companies_merge,
    erasing,
    ledger,
    missing_payments,
    payments_merge,
    payments_timeline,
)
from services.warehouse.adapters.failures import Conflict, statement_errors
from services.warehouse.adapters.joins import SCANNED_BYTES_PER_LOOKUP, measured
from services.warehouse.adapters.payments_fresh import Staged
from services.warehouse.adapters.sieve import Sieve
from services.warehouse.adapters.staging import copy_rows
from services.warehouse.domain.erasure import Erased, ErasureRequest
from services.warehouse.domain.loads import CatalogueSizes, Dataset, Load, LoadCounts, LoadRequest
from services.warehouse.domain.reconciliation import Comparison, MissingReport
from services.warehouse.workflow import LoadTransaction

Result = TypeVar("Result")

SCHEMAS: dict[Dataset, pa.Schema] = {"payments": PAYMENTS_SCHEMA, "companies": COMPANIES_SCHEMA}
STAGING: dict[Dataset, str] = {"payments": payments_merge.STAGING, "companies": companies_merge.STAGING}
# First of all, and READ COMMITTED: each later statement sees what the load before this one has committed.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('afin/warehouse/loads', 0))"
LOCAL_SETTINGS = """
SELECT set_config('statement_timeout', :milliseconds, true), set_config('work_mem', '256MB', true),
    set_config('random_page_cost', '1.1', true), set_config('jit', 'off', true)
"""
TRIES = 4
FIRST_PAUSE = timedelta(seconds=0.1)


class PostgresLoadTransaction:
    """An open transaction that holds the lock."""

    def __init__(self, connection: AsyncConnection, scanned_bytes_per_lookup: int) -> None:
        self._connection = connection
        self._scanned_bytes_per_lookup = scanned_bytes_per_lookup
        self._staged = 0
        self._sieve = Sieve()

    async def latest_leader(self, epoch: int) -> int:
        """See LoadTransaction."""
        return await ledger.latest_leader(self._connection, epoch)

    async def find(self, load_id: str) -> Load | None:
        """See LoadTransaction."""
        return await ledger.find_load(self._connection, load_id)

    async def stage(self, dataset: Dataset, batches: AsyncGenerator[pa.RecordBatch, None]) -> None:
        """See LoadTransaction."""
        await self._connection.execute(text(STAGING[dataset]))
        look = self._sieve.look_at if dataset == "payments" else None
        self._staged = await copy_rows(self._connection, SCHEMAS[dataset], batches, look)

    async def merge_payments(self, load_id: str, recorded_at: datetime) -> LoadCounts:
        """See LoadTransaction."""
        joins = await measured(self._connection, self._scanned_bytes_per_lookup)
        stamp = payments_timeline.Stamp(load_id, recorded_at)
        staged = Staged(self._staged, self._sieve)
        return await payments_merge.merge_payments(self._connection, staged, stamp, joins)

    async def catalogue_sizes(self) -> CatalogueSizes:
        """See LoadTransaction."""
        return await companies_merge.catalogue_sizes(self._connection)

    async def newest_catalogue(self) -> datetime | None:
        """See LoadTransaction."""
        return await ledger.newest_source_time(self._connection, "companies")

    async def merge_companies(
        self, load_id: str, source_time: datetime, recorded_at: datetime, *, retires: bool
    ) -> LoadCounts:
        """See LoadTransaction."""
        stamp = companies_merge.Stamp(load_id, source_time, recorded_at)
        return await companies_merge.merge_companies(self._connection, stamp, retires=retires)

    async def watermark(self, dataset: Dataset) -> datetime | None:
        """See LoadTransaction."""
        return (await ledger.watermarks(self._connection)).get(dataset)

    async def next_sequence(self) -> int:
        """See LoadTransaction."""
        return await ledger.next_sequence(self._connection)

    async def record(self, load: Load) -> None:
        """See LoadTransaction."""
        await ledger.record_load(self._connection, load)

    async def record_update(self, load_id: str, sequence: int) -> None:
        """See LoadTransaction."""
        await ledger.record_update(self._connection, load_id, sequence)

    async def advance_watermark(self, dataset: Dataset, to: datetime, load_id: str) -> datetime:
        """See LoadTransaction."""
        return await ledger.advance_watermark(self._connection, dataset, to, load_id)

    async def find_report(self, load_id: str) -> MissingReport | None:
        """See LoadTransaction."""
        return await missing_payments.find_report(self._connection, load_id)

    async def report_missing(
        self, asked: Comparison, first_day: date, keys: AsyncGenerator[pa.RecordBatch, None], now: datetime
    ) -> MissingReport:
        """See LoadTransaction."""
        return await missing_payments.report_missing(self._connection, asked, first_day, keys, now)

    async def erase_client(self, request: ErasureRequest, erased_at: datetime) -> Erased:
        """See LoadTransaction."""
        return await erasing.erase_client(self._connection, request, erased_at)

    async def replace_manifest(self, replacement: LoadRequest) -> bool:
        """See LoadTransaction."""
        return await ledger.replace_manifest(self._connection, replacement)


class PostgresLoadStore:
    """Opens transactions; those of one process queue here, so that the ones that wait hold no connection."""

    def __init__(
        self, engine: AsyncEngine, timeout: timedelta, scanned_bytes_per_lookup: int = SCANNED_BYTES_PER_LOOKUP
    ) -> None:
        self._engine = engine
        self._timeout = timeout
        self._scanned_bytes_per_lookup = scanned_bytes_per_lookup
        self._turn = asyncio.Lock()

    async def transact(self, work: Callable[[LoadTransaction], Awaitable[Result]]) -> Result:
        """See LoadStore; DeadlineExceeded when it took longer than the timeout, waiting included."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()), self._turn:
                return await self._repeated(work)
        except TimeoutError as error:
            message = f"the load was not done within {self._timeout}; raise WAREHOUSE_LOAD_TIMEOUT_SECONDS"
            raise DeadlineExceeded(message, reason="LOAD_TIMEOUT") from error

    async def _repeated(self, work: Callable[[LoadTransaction], Awaitable[Result]]) -> Result:
        # Where the answer to a COMMIT was lost, the work finds its load in the ledger.
        for attempt in range(1, TRIES):
            try:
                return await self._once(work)
            except (Conflict, DatabaseUnavailable):
                pause = FIRST_PAUSE * 2**attempt * random.random()  # noqa: S311 - jitter
                await asyncio.sleep(pause.total_seconds())
        return await self._once(work)

    async def _once(self, work: Callable[[LoadTransaction], Awaitable[Result]]) -> Result:
        milliseconds = str(round(self._timeout.total_seconds() * 1000))
        async with statement_errors(), self._engine.begin() as connection:
            await connection.execute(text(LOCAL_SETTINGS), {"milliseconds": milliseconds})
            await connection.execute(text(LOCK))
            return await work(PostgresLoadTransaction(connection, self._scanned_bytes_per_lookup))
