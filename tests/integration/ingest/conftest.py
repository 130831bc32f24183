"""A migrated database, a source, the real warehouse and an indexer on sockets, and ingest on top of them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.settings import IngestSettings
from services.runtime.database import open_database
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.migrate import migrate
from tests.integration.ingest.indexer_server import IndexerServer, indexer_server
from tests.integration.ingest.serving import Ingest, serving
from tests.integration.ingest.source_server import SourceServer, company, payment, source_server
from tests.integration.ingest.warehouse_server import WarehouseServer, warehouse_server

EMPTY = ";".join(
    f"DELETE FROM {table}"
    for table in (
        "ingest.steps",
        "ingest.runs",
        "ingest.schedules",
        "warehouse.payments",
        "warehouse.payment_confirmations",
        "warehouse.companies",
        "warehouse.watermarks",
        "warehouse.reconciliations",
        "warehouse.loads",
        "warehouse.erasures",
    )
)
NO_LEADER = "UPDATE ingest.leadership SET epoch = 0; UPDATE warehouse.latest_leader SET epoch = 0"
Serve = Callable[..., AbstractAsyncContextManager[Ingest]]


@pytest.fixture(scope="session")
def ingest_url(postgres_url: str) -> Iterator[str]:
    """A database at the newest revision; shared, so that few tests pay for its making."""
    name = f"ingest_{uuid.uuid4().hex}"
    asyncio.run(execute(postgres_url, f"CREATE DATABASE {name}"))
    # No test crashes this server: none need wait for the disk.
    asyncio.run(execute(postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = off"))
    url = postgres_url.replace("/postgres?", f"/{name}?")
    asyncio.run(migrate(url))
    yield url
    asyncio.run(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def url(ingest_url: str) -> str:
    """The database, emptied."""
    await execute(ingest_url, f"{EMPTY};{NO_LEADER}")
    return ingest_url


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to the database."""
    async with open_database(url, "test") as opened:
        yield opened


@pytest.fixture
async def source() -> AsyncIterator[SourceServer]:
    """A source with five companies and twenty payments."""
    async with source_server() as server:
        server.companies = [company(number) for number in range(5)]
        server.payments = [payment(number) for number in range(20)]
        yield server


@pytest.fixture
async def indexer() -> AsyncIterator[IndexerServer]:
    """An indexer whose versions pass."""
    async with indexer_server() as server:
        yield server


@pytest.fixture
async def warehouse(url: str, object_store: LocalObjectStore) -> AsyncIterator[WarehouseServer]:
    """The real warehouse on the same database and objects."""
    async with warehouse_server(url, object_store) as server:
        yield server


@pytest.fixture
def settings(
    url: str, tmp_path: Path, source: SourceServer, warehouse: WarehouseServer, indexer: IndexerServer
) -> IngestSettings:
    """Settings of ingest over all of these."""
    fields: dict[str, object] = {
        "database_url": url,
        "object_store_url": (tmp_path / "objects").as_uri(),
        "source_url": source.url,
        "warehouse_address": warehouse.address,
        "indexer_address": indexer.address,
        "request_attempts": 2,
        "patience": "PT20S",
        "drain_seconds": 1,
        # Never in a test that does not ask for it.
        "companies_schedule": "0 0 29 2 *",
        "recommendations_schedule": "0 0 29 2 *",
    }
    return IngestSettings(**fields)  # type: ignore[arg-type] # pydantic converts


@pytest.fixture
def serve(settings: IngestSettings) -> Serve:
    """Starts an ingest, as often as a test wants."""
    return partial(serving, settings)


@pytest.fixture
async def ingest(serve: Serve) -> AsyncIterator[Ingest]:
    """One ingest."""
    async with serve() as opened:
        yield opened


async def execute(url: str, statement: str) -> None:
    """Runs a statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
