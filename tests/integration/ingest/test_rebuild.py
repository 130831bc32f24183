"""What pipelines laid into the lake gives the same warehouse again, and the next run goes on from there."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from pydantic import SecretStr

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.erasures import ErasureRecord
from services.ingest.adapters.erasure_records import ObjectErasureRecords
from services.ingest.domain.erasure import client_digest
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.migrate import migrate
from services.warehouse.rebuild import rebuild
from services.warehouse.settings import WarehouseSettings
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest
from tests.integration.ingest.source_server import NOW, SourceServer, company, payment
from tests.integration.ingest.test_erasure import erase
from tests.integration.ingest.warehouse_server import warehouse_server
from tests.integration.warehouse.tables import all_rows

HOUR = timedelta(hours=1)
KNOWN = "SELECT erasure_id FROM warehouse.published_erasures ORDER BY erasure_id"


@pytest.fixture
async def tables(url: str, database_url: str) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    """The warehouse as the pipelines leave it, and an empty, migrated one."""
    await migrate(database_url)
    connections = await asyncpg.connect(url), await asyncpg.connect(database_url)
    yield connections
    for connection in connections:
        await connection.close()


def at(number: int, hours: int, **changes: object) -> dict[str, object]:
    """A payment as it was changed so many hours before the source's clock."""
    return payment(number, updated_at=(NOW - hours * HOUR).isoformat(), **changes)


async def several_runs(ingest: Ingest, source: SourceServer) -> pb.Run:
    """Two catalogues, a first pass, one with changes, ties, late and bad rows, a backfill; the last run."""
    await ingest.load_companies()
    await ingest.recommendations()
    source.companies = [company(0, company_name="Renamed"), *(company(number) for number in range(1, 6))]
    source.now += HOUR
    await ingest.load_companies()
    changed, late = at(3, 1, status="refunded"), at(4, 40, status="pending")
    tie = payment(5, status="cancelled")
    source.payments = [*source.payments, changed, late, tie, at(50, 200), payment(60, amount="much")]
    await ingest.recommendations()
    day = (NOW - timedelta(hours=200)).date().isoformat()
    return await ingest.end_of((await ingest.backfill(day, day)).run_id)


async def test_the_lake_of_several_runs_gives_the_same_warehouse_and_the_next_run_goes_on(
    serve: Serve,
    source: SourceServer,
    database_url: str,
    object_store: LocalObjectStore,
    tables: tuple[asyncpg.Connection, asyncpg.Connection],
) -> None:
    before, after = tables
    async with serve() as ingest:
        backfill = await several_runs(ingest, source)
        watermark = await ingest.watermark()
    assert (backfill.state, backfill.account.new) == (pb.RUN_STATE_SUCCEEDED, 1)
    assert await before.fetchval("SELECT sum(late_count) FROM warehouse.loads") > 0

    fields = {"database_url": database_url, "object_store_url": object_store._root.as_uri()}
    settings = WarehouseSettings.model_validate(fields)
    report = await rebuild(settings)

    assert await all_rows(after) == await all_rows(before)
    assert (report.applied, report.differing) == (7, [])
    async with (
        warehouse_server(database_url, object_store) as rebuilt,
        serve(database_url=settings.database_url, warehouse_address=rebuilt.address) as ingest,
    ):
        assert await ingest.watermark() == watermark
        run = await ingest.recommendations()
        assert (run.state, run.account.unchanged) == (pb.RUN_STATE_SUCCEEDED, run.account.read - 1)
        assert await after.fetchval("SELECT max(sequence) FROM warehouse.loads") == 8
        assert (await ingest.watermark()).payments == watermark.payments


async def test_after_an_erasure_the_lake_gives_the_warehouse_without_the_client(
    serve: Serve,
    source: SourceServer,
    database_url: str,
    object_store: LocalObjectStore,
    tables: tuple[asyncpg.Connection, asyncpg.Connection],
) -> None:
    before, after = tables
    # A payment that was another client's before and after it was the erased one's.
    source.payments += [at(3, hours, external_client_id=client) for hours, client in ((9, "client-4"), (7, "client-3"))]
    async with serve() as ingest:
        await several_runs(ingest, source)
        source.payments.append(at(3, 0, external_client_id="client-4"))
        await ingest.recommendations()
        erasure = await erase(ingest, "client-3")
    assert (erasure.versions, erasure.confirmations) == (5, 0)

    fields = {"database_url": database_url, "object_store_url": object_store._root.as_uri()}
    report = await rebuild(WarehouseSettings.model_validate(fields))

    assert await all_rows(after) == await all_rows(before)
    assert await before.fetchval("SELECT count(*) FROM warehouse.payments WHERE external_client_id = 'client-3'") == 0
    assert report.differing, "the ledger keeps the counts of what was once loaded"
    # So the indexer takes versions built from it for what they are: from after the erasure.
    assert await after.fetch(KNOWN) == await before.fetch(KNOWN) != []
    async with (
        warehouse_server(database_url, object_store) as rebuilt,
        serve(database_url=SecretStr(database_url), warehouse_address=rebuilt.address) as ingest,
    ):
        run = await ingest.recommendations()
    # The source shows the client still; of the erasure ingest knows by the lake alone.
    assert (run.state, run.account.unchanged) == (pb.RUN_STATE_SUCCEEDED, run.account.read - run.account.quarantined)
    assert await after.fetchval("SELECT count(*) FROM warehouse.payments WHERE external_client_id = 'client-3'") == 0


async def test_an_erasure_that_did_not_reach_the_lake_is_not_entered(
    serve: Serve,
    source: SourceServer,
    database_url: str,
    object_store: LocalObjectStore,
    tables: tuple[asyncpg.Connection, asyncpg.Connection],
) -> None:
    async with serve() as ingest:
        await several_runs(ingest, source)
        salt = await ObjectErasureRecords(object_store).salt()
    record = ErasureRecord(erasure_id="begun", client_digest=client_digest(salt, "client-3").hex(), until=NOW)
    await ObjectErasureRecords(object_store).keep(record)

    fields = {"database_url": database_url, "object_store_url": object_store._root.as_uri()}
    await rebuild(WarehouseSettings.model_validate(fields))

    _, after = tables
    assert await after.fetchval("SELECT count(*) FROM warehouse.payments WHERE external_client_id = 'client-3'") > 0
    assert await after.fetch(KNOWN) == []
