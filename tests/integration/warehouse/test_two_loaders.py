"""Two replicas of the warehouse load at once: each load once, whoever comes first, and the table is the oracle's."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.parquet_lake import ParquetLake
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import TIMEOUT
from tests.integration.warehouse.lake_writer import put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation, account, history
from tests.integration.warehouse.tables import stored_versions

LOADS = 20
LEDGER = "SELECT load_id, new_count, changed_count, late_count FROM warehouse.loads ORDER BY sequence"


@pytest.fixture
async def replicas(warehouse_url: str, lake: ParquetLake, connection: asyncpg.Connection) -> AsyncIterator[list[Loads]]:
    """Two of them, each with connections of its own, on the emptied database."""
    async with AsyncExitStack() as stack:
        engines = [await stack.enter_async_context(open_database(warehouse_url, "test")) for _ in range(2)]
        yield [Loads(PostgresLoadStore(engine, TIMEOUT), lake, 0.5, utc_now) for engine in engines]


def some_observations(chance: random.Random) -> list[Observation]:
    """Of few keys, with few values at few moments, so that loads meet in every way."""
    return [
        Observation(
            chance.choice(["p1", "p2", "p3"]),
            "A",
            EPOCH + timedelta(hours=chance.randrange(6)),
            amount=chance.choice([Decimal("1.00"), Decimal("1.00"), Decimal("2.00")]),
            status=chance.choice(["paid", "pending"]),
        )
        for _ in range(chance.randint(1, 8))
    ]


async def test_different_loads_at_once_are_applied_one_after_the_other(
    replicas: list[Loads], object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable
    batches = {f"run-{number}": some_observations(chance) for number in range(LOADS)}
    requests = [put_payments(object_store, load_id, batch) for load_id, batch in batches.items()]

    await asyncio.gather(*(replicas[number % 2].load_payments(each) for number, each in enumerate(requests)))

    ledger = await connection.fetch(LEDGER)
    assert Counter(row["load_id"] for row in ledger) == Counter(batches.keys())
    read: list[Observation] = []
    for row in ledger:
        wanted = account(read, batches[row["load_id"]])
        assert (row["new_count"], row["changed_count"], row["late_count"]) == (
            wanted["new"],
            wanted["changed"],
            wanted["late"],
        )
        read += batches[row["load_id"]]
    assert await stored_versions(connection) == history(read)


async def test_the_same_load_at_once_is_applied_once_and_answered_alike(
    replicas: list[Loads], object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    batch = some_observations(random.Random(8))  # noqa: S311 - repeatable
    request = put_payments(object_store, "run-1", batch, watermark=EPOCH)

    answers = await asyncio.gather(*(replicas[number % 2].load_payments(request) for number in range(10)))

    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 9
    assert len({replace(answer, replayed=False) for answer in answers}) == 1
    assert len(await connection.fetch(LEDGER)) == 1
    assert await stored_versions(connection) == history(batch)
