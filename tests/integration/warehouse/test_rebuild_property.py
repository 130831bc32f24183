"""Whatever was loaded, in whatever order: the lake gives the same rows again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
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
        return Loader(loads, self.store)


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
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PAYMENTS | CATALOGUE, min_size=1, max_size=5))
async def test_the_same_rows_stand_in_every_table(twins: Twins, loaded: list[list[Observation] | set[str]]) -> None:
    loader = await twins.emptied()
    for number, rows in enumerate(loaded):
        if isinstance(rows, list):
            # Each second watermark lies behind the one before.
            load = await loader.payments(*rows, watermark=EPOCH + number % 2 * DAY)
        else:
            load = await loader.companies(*map(Company, sorted(rows)), source_time=EPOCH + number * DAY)
        put_receipt(twins.store, load)

    report = await rebuild(twins.settings)

    assert (report.applied, report.differing) == (len(loaded), [])
    assert await all_rows(twins.other) == await all_rows(twins.connection)
