"""What the indexer sees of changes: whose payments changed since a place of the ledger, and which codes gave way."""

from datetime import timedelta

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.erasing import Erasures
from tests.integration.warehouse.conftest import TIMEOUT, Loader
from tests.integration.warehouse.lake_writer import Company
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation
from tests.integration.warehouse.test_erasure import erasure_of

CHANGED = """
SELECT DISTINCT c.external_client_id FROM warehouse.changed_by_loads AS c
WHERE c.sequence > $1 AND c.recorded_at >= (SELECT min(committed_at) FROM warehouse.published_loads WHERE sequence > $1)
"""
STANDING = "SELECT company_code, is_retired, successor_code FROM warehouse.training_companies ORDER BY company_code"


async def changed_since(connection: asyncpg.Connection, sequence: int) -> set[str]:
    """Clients whose payments changed after that place of the ledger."""
    return {row[0] for row in await connection.fetch(CHANGED, sequence)}


async def erased_changes(connection: asyncpg.Connection) -> set[str]:
    """Clients whose payments an erasure changed."""
    return {row[0] for row in await connection.fetch("SELECT external_client_id FROM warehouse.changed_by_erasures")}


async def test_only_clients_of_payments_that_changed_are_seen(loader: Loader, connection: asyncpg.Connection) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH, external_client_id="client-1"),
        Observation("p2", "A", EPOCH, external_client_id="client-2"),
    )
    await loader.payments(
        Observation("p1", "A", EPOCH, external_client_id="client-1"),
        Observation("p2", "A", EPOCH + MICROSECOND, external_client_id="client-2", status="refunded"),
    )

    assert await changed_since(connection, 0) == {"client-1", "client-2"}
    assert await changed_since(connection, 1) == {"client-2"}
    assert await changed_since(connection, 2) == set()


async def test_a_payment_that_goes_over_to_another_client_changed_for_both(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    await loader.payments(Observation("p1", "A", EPOCH, external_client_id="client-1"))
    await loader.payments(Observation("p1", "A", EPOCH + MICROSECOND, external_client_id="client-2"))

    assert await changed_since(connection, 1) == {"client-1", "client-2"}


async def test_a_late_row_inside_history_is_seen(loader: Loader, connection: asyncpg.Connection) -> None:
    await loader.payments(Observation("p1", "A", EPOCH), Observation("p1", "A", EPOCH + 2 * MICROSECOND))
    await loader.payments(Observation("p1", "A", EPOCH + MICROSECOND, status="refunded"))

    assert await changed_since(connection, 1) == {"client-1"}


async def test_an_erasure_tells_whose_payments_it_changed_and_forgets_the_erased(
    loader: Loader, engine: AsyncEngine, connection: asyncpg.Connection
) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH, external_client_id="client-2"),
        Observation("p1", "A", EPOCH + MICROSECOND, external_client_id="client-1"),
        Observation("p2", "A", EPOCH, external_client_id="client-3"),
    )
    erasures = Erasures(PostgresLoadStore(engine, TIMEOUT), utc_now)

    await erasures.erase_client(erasure_of("client-1"))
    assert await erased_changes(connection) == {"client-2"}

    await erasures.erase_client(erasure_of("client-2"))
    assert await erased_changes(connection) == set()


async def test_a_code_gives_way_to_the_one_that_has_had_the_company_id_for_longest(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    later = EPOCH + timedelta(days=1)
    await loader.companies(Company("A", 7), Company("B", 9), Company("C", 8), Company("D", 5))
    await loader.companies(Company("A", 9), Company("B", 9), Company("C", 8), Company("E", 5), source_time=later)

    standing = {
        row["company_code"]: (row["is_retired"], row["successor_code"]) for row in await connection.fetch(STANDING)
    }

    assert standing == {"A": (False, "B"), "B": (False, None), "C": (False, None), "D": (True, "E"), "E": (False, None)}


async def test_a_company_that_is_gone_has_no_successor(loader: Loader, connection: asyncpg.Connection) -> None:
    await loader.companies(Company("A", 7), Company("B", 9), Company("C", 8), Company("D", 5))
    await loader.companies(Company("A", 7), Company("B", 9), Company("C", 8), source_time=EPOCH + timedelta(days=1))

    rows = await connection.fetch(STANDING)

    assert [tuple(row) for row in rows if row["is_retired"]] == [("D", True, None)]
