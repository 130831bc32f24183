"""A migrated database for all tests of the warehouse, empty at the start of each, and the service's parts on it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from itertools import count

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.adapters.reads import PostgresReads
from services.warehouse.domain.loads import Load
from services.warehouse.migrate import migrate
from services.warehouse.migrations.history import head_revision
from services.warehouse.queries import Queries
from services.warehouse.workflow import Loads
from tests.integration.warehouse.lake_writer import Company, put_companies, put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation

TIMEOUT = timedelta(seconds=60)
# Faster than TRUNCATE, which makes new files.
EMPTY = ";".join(
    f"DELETE FROM warehouse.{table}"
    for table in (
        "payments",
        "payment_confirmations",
        "companies",
        "watermarks",
        "reconciliations",
        "loads",
        "erasures",
        "erasure_changes",
    )
)


@pytest.fixture(scope="session")
def warehouse_url(postgres_url: str) -> Iterator[str]:
    """A database at the newest revision; shared, so that few tests pay for its making."""
    name = f"warehouse_{uuid.uuid4().hex}"
    asyncio.run(_execute(postgres_url, f"CREATE DATABASE {name}"))
    # No test crashes this server: none need wait for the disk.
    asyncio.run(_execute(postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = off"))
    url = postgres_url.replace("/postgres?", f"/{name}?")
    asyncio.run(migrate(url))
    yield url
    asyncio.run(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def engine(warehouse_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to the database, emptied."""
    async with open_database(warehouse_url, "test") as opened:
        await _execute(warehouse_url, f"{EMPTY};UPDATE warehouse.latest_leader SET epoch = 0")
        yield opened


@pytest.fixture
def lake(object_store: LocalObjectStore) -> ParquetLake:
    """The lake in a folder, read in batches so small that every load has several."""
    return ParquetLake(object_store, batch_rows=3)


@pytest.fixture
def loads(engine: AsyncEngine, lake: ParquetLake) -> Loads:
    """The loading side."""
    return Loads(PostgresLoadStore(engine, TIMEOUT), lake, 0.5, utc_now)


@pytest.fixture
def reads(engine: AsyncEngine) -> PostgresReads:
    """The answering side's SQL."""
    return PostgresReads(engine, head_revision(), TIMEOUT)


@pytest.fixture
def queries(reads: PostgresReads) -> Queries:
    """The answering side."""
    return Queries(reads, utc_now)


class Loader:
    """Puts rows into the lake and loads them, under ids that `load_id` gives by number."""

    def __init__(self, loads: Loads, store: LocalObjectStore, load_id: Callable[[int], str] = "load-{}".format) -> None:
        self._loads = loads
        self._store = store
        self._ids = map(load_id, count(1))

    async def payments(self, *observations: Observation, watermark: datetime | None = None) -> Load:
        """A load of payments, in the order read."""
        request = put_payments(self._store, next(self._ids), observations, watermark=watermark)
        return await self._loads.load_payments(request)

    async def companies(self, *companies: Company, source_time: datetime = EPOCH, refused: int = 0) -> Load:
        """A load of a whole catalogue, but for the rows that were refused."""
        request = put_companies(self._store, next(self._ids), companies, source_time=source_time, refused=refused)
        return await self._loads.load_companies(request)


@pytest.fixture
def loader(loads: Loads, object_store: LocalObjectStore) -> Loader:
    """For tests that say what is loaded and look at what came of it."""
    return Loader(loads, object_store)


@pytest.fixture
async def connection(engine: AsyncEngine, warehouse_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection, for a look at tables (after `engine` has emptied them)."""
    opened = await asyncpg.connect(warehouse_url)
    yield opened
    await opened.close()


async def _execute(url: str, statement: str) -> None:
    opened = await asyncpg.connect(url)
    try:
        await opened.execute(statement)
    finally:
        await opened.close()
