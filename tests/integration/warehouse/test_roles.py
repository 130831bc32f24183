"""Each group role can do what its service does, and nothing more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.adapters.reads import PostgresReads
from services.warehouse.erasing import Erasures
from services.warehouse.migrate import migrate
from services.warehouse.migrations.history import head_revision
from services.warehouse.queries import Queries
from services.warehouse.rebuild import rebuild
from services.warehouse.settings import WarehouseSettings
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import TIMEOUT, Loader
from tests.integration.warehouse.lake_writer import Company, put_companies, put_payments
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation
from tests.integration.warehouse.test_erasure import erasure_of
from tests.receipts import put_receipt

TABLES = [
    "payments",
    "payment_confirmations",
    "companies",
    "loads",
    "watermarks",
    "erasures",
    "reconciliations",
    "missing_payments",
    "erasure_changes",
]
VIEWS = [
    "training_payments",
    "training_companies",
    "published_watermark",
    "published_loads",
    "published_erasures",
    "changed_by_loads",
    "changed_by_erasures",
]


@asynccontextmanager
async def acting_as(connection: asyncpg.Connection, role: str) -> AsyncIterator[None]:
    """As the role, whatever the connection's own rights."""
    await connection.execute(f"SET ROLE {role}")
    try:
        yield
    finally:
        await connection.execute("RESET ROLE")


@pytest.fixture
async def login_url(connection: asyncpg.Connection, warehouse_url: str) -> AsyncIterator[str]:
    """The database for a login that is a member of afin_warehouse, as whoever runs it makes one."""
    await connection.execute("CREATE ROLE a_login LOGIN IN ROLE afin_warehouse")
    yield warehouse_url.replace("//postgres:", "//a_login:")
    await connection.execute("DROP ROLE a_login")


async def test_a_login_of_the_warehouse_can_load_and_answer(
    login_url: str, lake: ParquetLake, object_store: LocalObjectStore
) -> None:
    rows = [Observation("p1", "A", EPOCH), Observation("p1", "A", EPOCH + 2 * MICROSECOND)]
    late = [Observation("p1", "A", EPOCH + MICROSECOND, status="refunded")]
    async with open_database(login_url, "test") as engine:
        loads = Loads(PostgresLoadStore(engine, TIMEOUT), lake, 0.5, utc_now)
        await loads.load_payments(put_payments(object_store, "run-1", rows, watermark=EPOCH))
        await loads.load_payments(put_payments(object_store, "run-2", late, watermark=EPOCH + MICROSECOND))
        await loads.load_companies(put_companies(object_store, "run-3", [Company("A"), Company("B")]))
        await loads.load_companies(put_companies(object_store, "run-4", [Company("A")]))
        await loads.record_companies_update("run-4")
        queries = Queries(PostgresReads(engine, head_revision(), TIMEOUT), utc_now)
        await queries.check_ready()
        assert (await queries.statistics()).payment_versions == 3
        assert (await queries.training_summary(None, ())).payments == 1


async def test_a_login_of_the_warehouse_can_erase_a_client(
    login_url: str, lake: ParquetLake, object_store: LocalObjectStore
) -> None:
    rows = [Observation("p1", "A", EPOCH), Observation("p1", "A", EPOCH + MICROSECOND)]
    async with open_database(login_url, "test") as engine:
        store = PostgresLoadStore(engine, TIMEOUT)
        request = put_payments(object_store, "run-1", rows)
        await Loads(store, lake, 0.5, utc_now).load_payments(request)
        erasures = Erasures(store, utc_now)
        erased = await erasures.erase_client(erasure_of("client-1"))
        assert (erased.versions, erased.confirmations) == (1, 1)
        assert await erasures.replace_manifest(request)


async def test_a_login_of_the_warehouse_can_rebuild_it(
    login_url: str, database_url: str, loads: Loads, object_store: LocalObjectStore
) -> None:
    await migrate(database_url)
    catalogue = await loads.load_companies(put_companies(object_store, "run-1", [Company("A")]))
    put_receipt(object_store, (await loads.record_companies_update(catalogue.load_id))[1])
    payments = [Observation("p1", "A", EPOCH), Observation("p1", "A", EPOCH + MICROSECOND)]
    put_receipt(object_store, await loads.load_payments(put_payments(object_store, "run-2", payments, watermark=EPOCH)))
    as_login = database_url.replace("//postgres:", "//a_login:")
    fields = {"database_url": as_login, "object_store_url": object_store._root.as_uri()}

    assert (await rebuild(WarehouseSettings.model_validate(fields))).applied == 3


@pytest.mark.parametrize("table", TABLES)
async def test_the_indexer_reads_no_table(connection: asyncpg.Connection, table: str) -> None:
    async with acting_as(connection, "afin_indexer"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT FROM warehouse.{table}")


@pytest.mark.parametrize("view", VIEWS)
async def test_the_indexer_reads_the_published_views(connection: asyncpg.Connection, view: str) -> None:
    async with acting_as(connection, "afin_indexer"):
        assert await connection.fetch(f"SELECT * FROM warehouse.{view}") == []


async def test_the_indexer_sees_current_rows_and_the_watermark(loader: Loader, connection: asyncpg.Connection) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH), Observation("p2", "A", EPOCH, payment_at=None), watermark=EPOCH
    )
    await loader.companies(Company("A", 5))
    async with acting_as(connection, "afin_indexer"):
        payments = await connection.fetch("SELECT payment_id FROM warehouse.training_payments")
        companies = await connection.fetch("SELECT company_id FROM warehouse.training_companies")
        watermark = await connection.fetch("SELECT * FROM warehouse.published_watermark")
    assert [tuple(row) for row in payments] == [("p1",)]
    assert [tuple(row) for row in companies] == [(5,)]
    assert [tuple(row) for row in watermark] == [("payments", EPOCH)]


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("afin_indexer", "DELETE FROM warehouse.training_payments"),
        ("afin_indexer", "SELECT FROM ingest.runs"),
        ("afin_ingest", "SELECT FROM warehouse.training_payments"),
        ("afin_ingest", "SELECT FROM warehouse.payments"),
        ("afin_ingest", "CREATE TABLE ingest.more ()"),
        ("afin_warehouse", "SELECT FROM ingest.runs"),
        ("afin_warehouse", "DROP TABLE warehouse.payments"),
        ("afin_warehouse", "DELETE FROM warehouse.loads"),
        ("afin_warehouse", "UPDATE warehouse.schema_version SET version_num = ''"),
        ("afin_warehouse", "CREATE TABLE warehouse.more ()"),
    ],
)
async def test_no_role_reaches_beyond_its_service(connection: asyncpg.Connection, role: str, statement: str) -> None:
    async with acting_as(connection, role):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


A_SWEPT_RUN = """
    WITH run AS (
        INSERT INTO ingest.runs (run_id, pipeline, state, trigger, logical_time, code_version, created_at)
        VALUES (gen_random_uuid(), 'companies', 'failed', 'manual', now(), '1', now()) RETURNING run_id
    )
    INSERT INTO ingest.sweeps SELECT run_id, now() FROM run
"""


async def test_ingest_reads_and_writes_its_own_tables(connection: asyncpg.Connection) -> None:
    async with acting_as(connection, "afin_ingest"), connection.transaction():
        for table in ("steps", "runs", "schedules"):
            await connection.execute(f"DELETE FROM ingest.{table}")
        await connection.execute(
            "INSERT INTO ingest.schedules VALUES ('companies', '0 3 * * 0', false, NULL, $1)", EPOCH
        )
        assert await connection.fetchval("SELECT count(*) FROM ingest.schedules") == 1
        await connection.execute("DELETE FROM ingest.schedules")
        await connection.execute(A_SWEPT_RUN)
        await connection.execute("UPDATE ingest.sweeps SET ended_at = ended_at")
        await connection.execute("DELETE FROM ingest.runs")


async def test_public_gets_nothing(connection: asyncpg.Connection, engine: AsyncEngine) -> None:
    await connection.execute("CREATE ROLE a_stranger")
    try:
        async with acting_as(connection, "a_stranger"):
            for table in ("warehouse.training_payments", "warehouse.schema_version", "ingest.runs"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"SELECT FROM {table}")
    finally:
        await connection.execute("DROP ROLE a_stranger")
