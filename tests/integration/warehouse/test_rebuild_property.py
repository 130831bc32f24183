"""Whatever was loaded and erased, in whatever order: the lake gives the same rows again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.adapters.lake_eraser import ObjectLakeEraser
from services.ingest.adapters.manifests import open_manifest
from services.ingest.domain.erasure import ErasedClients, client_digest
from services.ingest.workflow.values import ManifestReference
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.domain.erasure import ErasureRequest
from services.warehouse.domain.loads import LoadRequest
from services.warehouse.erasing import Erasures
from services.warehouse.migrate import migrate
from services.warehouse.rebuild import rebuild
from services.warehouse.settings import WarehouseSettings
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import EMPTY, TIMEOUT, Loader
from tests.integration.warehouse.lake_writer import Company
from tests.integration.warehouse.oracle import EPOCH, Observation
from tests.integration.warehouse.tables import all_rows
from tests.integration.warehouse.test_scd2_property import observations
from tests.receipts import put_receipt

DAY = timedelta(days=1)
PAYMENTS = st.lists(observations(), max_size=8)
CATALOGUE = st.sets(st.sampled_from("ABC"), min_size=1)
ERASED = st.sampled_from(["client-1", "client-2"])
SALT = b"salt of a test!!"
LATER = EPOCH + 30 * DAY
Event = list[Observation] | set[str] | str


@dataclass(frozen=True)
class Twins:
    """A warehouse with its lake, and one that is built from it."""

    engine: AsyncEngine
    store: LocalObjectStore
    connection: asyncpg.Connection
    other: asyncpg.Connection
    settings: WarehouseSettings

    async def emptied(self) -> Loader:
        """Nothing anywhere; loads take any catalogue."""
        for table in (self.connection, self.other):
            await table.execute(EMPTY)
        for info in list(self.store.list("")):
            self.store.delete(info.key)
        loads = Loads(PostgresLoadStore(self.engine, TIMEOUT), ParquetLake(self.store), 0, utc_now)
        return Loader(loads, self.store, lambda number: str(UUID(int=number)))

    async def erase(self, client: str) -> None:
        """As ingest does: the lake run by run, then the history."""
        digest, erasures = client_digest(SALT, client), Erasures(PostgresLoadStore(self.engine, TIMEOUT), utc_now)
        eraser, erased = ObjectLakeEraser(self.store), ErasedClients(SALT, {digest: LATER})
        for run in await eraser.runs():
            receipt = await eraser.receipt(run)
            assert receipt
            named = ManifestReference(receipt.manifest_key, receipt.manifest_sha256)
            stored = await eraser.rewrite(run, open_manifest(self.store, named), erased, None)
            await erasures.replace_manifest(LoadRequest(run.place.run_id, stored.key, stored.sha256))
            await eraser.renew_receipt(run, stored)
            await eraser.delete_rest(run, stored, erased)
        await erasures.erase_client(ErasureRequest(str(uuid4()), SALT, digest, LATER))


@pytest.fixture
async def twins(
    engine: AsyncEngine, object_store: LocalObjectStore, connection: asyncpg.Connection, database_url: str
) -> AsyncIterator[Twins]:
    """Both migrated."""
    await migrate(database_url)
    other = await asyncpg.connect(database_url)
    fields = {"database_url": database_url, "object_store_url": object_store._root.as_uri()}
    yield Twins(engine, object_store, connection, other, WarehouseSettings.model_validate(fields))
    await other.close()


# Each example empties both, and the fixtures only lend connections.
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PAYMENTS | PAYMENTS | CATALOGUE | ERASED, min_size=1, max_size=6))
async def test_the_same_rows_stand_in_every_table(twins: Twins, events: list[Event]) -> None:
    loader = await twins.emptied()
    erased: set[str] = set()
    for number, event in enumerate(events):
        if isinstance(event, str):
            await twins.erase(event)
            erased.add(event)
        elif isinstance(event, list):
            rows = [row for row in event if row.external_client_id not in erased]
            # Each second watermark lies behind the one before.
            put_receipt(twins.store, await loader.payments(*rows, watermark=EPOCH + number % 2 * DAY))
        else:
            catalogue = map(Company, sorted(event))
            put_receipt(twins.store, await loader.companies(*catalogue, source_time=EPOCH + number * DAY))

    report = await rebuild(twins.settings)

    assert report.applied == sum(not isinstance(event, str) for event in events)
    assert not report.differing or erased
    assert await all_rows(twins.other) == await all_rows(twins.connection)
