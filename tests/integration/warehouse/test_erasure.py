"""After an erasure the table is what it would be had the client's observations never been made."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.runtime.errors import InvalidArgument
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.domain.erasure import ErasureRequest
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.erasing import Erasures
from services.warehouse.workflow import LoadTransaction
from tests.integration.warehouse.conftest import EMPTY, TIMEOUT, Loader
from tests.integration.warehouse.lake_writer import put_payments, record_batches
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation, history, origins, recorded_at
from tests.integration.warehouse.tables import stored_observations, stored_origins, stored_versions, written_rows
from tests.integration.warehouse.test_scd2_property import batches

SALT = b"salt of a test!!"
NOW = EPOCH + timedelta(days=30)
# Observations of EPOCH were created a day before, and some seconds: one for each unit of the amount.
MOMENTS_UNTIL = [NOW, EPOCH - timedelta(days=1, seconds=10), EPOCH - timedelta(days=1, seconds=10) + MICROSECOND]


def erasure_of(client: str, created_until: datetime = NOW) -> ErasureRequest:
    """Under one id."""
    return ErasureRequest("erasure-1", SALT, hashlib.sha256(SALT + client.encode()).digest(), created_until)


@pytest.fixture
def erasures(engine: AsyncEngine) -> Erasures:
    """The erasing side."""
    return Erasures(PostgresLoadStore(engine, TIMEOUT), utc_now)


# Each example empties the tables itself, and the fixtures only lend connections.
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches(), st.tuples(st.sampled_from(["client-1", "client-2"]), st.sampled_from(MOMENTS_UNTIL)))
async def test_whatever_was_loaded_the_table_is_that_of_the_observations_that_are_left(
    engine: AsyncEngine,
    erasures: Erasures,
    connection: asyncpg.Connection,
    loads: list[list[Observation]],
    asked: tuple[str, datetime],
) -> None:
    client, until = asked
    await connection.execute(EMPTY)
    first_told: dict[Observation, str] = {}
    for number, rows in enumerate(loads):
        await _merge(engine, f"load-{number}", rows)
        first_told |= {seen: f"load-{number}" for seen in rows if seen not in first_told}
    read = [observation for rows in loads for observation in rows]
    left = [one for one in read if one.external_client_id != client or one.created_at > until]

    erased = await erasures.erase_client(erasure_of(client, until))

    assert await stored_versions(connection) == history(left)
    assert await stored_observations(connection) == len(set(left))
    assert await stored_origins(connection) == origins(left, first_told)
    assert erased.versions + erased.confirmations == len(set(read)) - len(set(left))


async def test_payments_of_other_clients_are_not_touched_at_all(
    loader: Loader, erasures: Erasures, connection: asyncpg.Connection
) -> None:
    mine = [Observation(f"p{number}", "A", EPOCH, external_client_id="client-1") for number in range(3)]
    others = [replace(one, company_code="B", external_client_id="client-2") for one in mine]
    await loader.payments(*mine, *others, *(replace(one, updated_at=EPOCH + MICROSECOND) for one in others))
    before = await _rows_of(connection, "client-2")

    erased = await erasures.erase_client(erasure_of("client-1"))

    assert (erased.versions, erased.confirmations) == (3, 0)
    assert await _rows_of(connection, "client-2") == before
    assert await _rows_of(connection, "client-1") == []


async def test_what_is_left_of_a_payment_of_two_clients_keeps_the_load_that_it_is_known_by(
    loader: Loader, erasures: Erasures, connection: asyncpg.Connection
) -> None:
    first = Observation("p1", "A", EPOCH, external_client_id="client-1")
    await loader.payments(first)
    await loader.payments(replace(first, updated_at=EPOCH + MICROSECOND, external_client_id="client-2"))
    await loader.payments(replace(first, updated_at=EPOCH + 2 * MICROSECOND))
    learned = "SELECT load_id, recorded_at FROM warehouse.{} ORDER BY load_id"
    before = await connection.fetch(learned.format("payments"))

    await erasures.erase_client(erasure_of("client-2"))

    after = await connection.fetch(learned.format("payments")) + await connection.fetch(
        learned.format("payment_confirmations")
    )
    assert [tuple(row) for row in after] == [tuple(row) for row in before if row["load_id"] != "load-2"]
    assert await stored_versions(connection) == history([first])


async def test_an_erasure_that_is_repeated_removes_nothing_more_and_tells_the_same_figures(
    loader: Loader, erasures: Erasures, connection: asyncpg.Connection
) -> None:
    await loader.payments(Observation("p1", "A", EPOCH), Observation("p2", "A", EPOCH, external_client_id="client-2"))
    first = await erasures.erase_client(erasure_of("client-1"))
    before, counted = await written_rows(connection), _counted()

    again = await erasures.erase_client(erasure_of("client-1"))

    assert (again.versions, again.confirmations) == (first.versions, first.confirmations) == (1, 0)
    assert await written_rows(connection) == before
    assert _counted() == counted


async def test_a_client_who_came_back_after_the_erasure_is_a_new_one(
    loader: Loader, erasures: Erasures, connection: asyncpg.Connection
) -> None:
    old = Observation("p1", "A", EPOCH)
    new = Observation("p2", "A", EPOCH + timedelta(days=9), amount=Decimal("0.00"))
    await loader.payments(old, new)

    await erasures.erase_client(erasure_of("client-1", created_until=EPOCH + timedelta(days=1)))

    assert await stored_versions(connection) == history([new])


async def test_a_ledger_entry_names_another_manifest_and_keeps_its_counts(
    loader: Loader, erasures: Erasures, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    load = await loader.payments(Observation("p1", "A", EPOCH))
    replacement = replace(put_payments(object_store, "rewritten", []), load_id=load.load_id)

    assert await erasures.replace_manifest(replacement)

    row = await connection.fetchrow("SELECT manifest_key, manifest_sha256, new_count FROM warehouse.loads")
    assert tuple(row or ()) == (replacement.manifest_key, replacement.manifest_sha256, 1)
    assert not await erasures.replace_manifest(replace(replacement, load_id="unknown"))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("erasure_id", {"erasure_id": "with a space"}),
        ("salt", {"salt": b"short"}),
        ("client_digest", {"client_digest": b"no digest"}),
    ],
)
async def test_a_wrong_request_names_its_field(erasures: Erasures, field: str, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await erasures.erase_client(replace(erasure_of("client-1"), **changes))  # type: ignore[arg-type]

    assert refused.value.field == field


async def _merge(engine: AsyncEngine, load_id: str, rows: Sequence[Observation]) -> LoadCounts:
    async def work(transaction: LoadTransaction) -> LoadCounts:
        await transaction.stage("payments", record_batches(rows))
        return await transaction.merge_payments(load_id, recorded_at(load_id))

    return await PostgresLoadStore(engine, TIMEOUT).transact(work)


def _counted() -> float | None:
    return REGISTRY.get_sample_value("afin_warehouse_erased_observations_total")


async def _rows_of(connection: asyncpg.Connection, client: str) -> list[tuple[object, ...]]:
    found = await connection.fetch(
        "SELECT *, ctid, xmin FROM warehouse.payments WHERE external_client_id = $1 ORDER BY payment_id, start_date",
        client,
    )
    return [tuple(map(str, row.values())) for row in found]
