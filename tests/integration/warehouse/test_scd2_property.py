"""The table is a function of what was observed: any order, any batching, any number of replays."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.workflow import LoadTransaction
from tests.integration.warehouse.conftest import EMPTY, TIMEOUT
from tests.integration.warehouse.lake_writer import record_batches
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation, account, history, origins, recorded_at
from tests.integration.warehouse.tables import stored_observations, stored_origins, stored_versions, written_rows

# Few keys, few moments a microsecond apart, and mostly the same attributes: so that repeats, ties and chains of ties
# that reach the next moment are the rule. Other random rows hardly ever meet.
TOMORROW = EPOCH + timedelta(days=1)
USUAL = ("paid", Decimal("10.00"), "client-1", EPOCH)
ATTRIBUTES = st.one_of(
    *[st.just(USUAL)] * 7,
    st.tuples(
        st.sampled_from(["paid", "refunded"]),
        st.sampled_from([Decimal("10.00"), Decimal("-0.01")]),
        st.sampled_from(["client-1", "client-2"]),
        st.sampled_from([EPOCH, None]),
    ),
    st.just(("paid", Decimal("10.00"), "client-1", None)),
    st.just(("refunded", Decimal("10.00"), "client-1", EPOCH)),
)
KEYS = st.sampled_from([("p1", "A"), ("p1", "A"), ("p1", "A"), ("p1", "B"), ("p2", "A")])
MOMENTS = st.sampled_from([EPOCH, EPOCH + MICROSECOND, EPOCH + 2 * MICROSECOND, EPOCH + 5 * MICROSECOND, TOMORROW])


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """One row of the source."""
    (payment_id, company_code), moment = draw(KEYS), draw(MOMENTS)
    status, amount, client, payment_at = draw(ATTRIBUTES)
    return Observation(payment_id, company_code, moment, status, amount, client, payment_at)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Observation]]:
    """Loads in the order in which they are applied; some rows come again, in the same load or in a later one."""
    loads = draw(st.lists(st.lists(observations(), min_size=1, max_size=10), min_size=1, max_size=4))
    replays = draw(st.lists(st.integers(0, len(loads) - 1), max_size=2))
    return [*loads, *(loads[number] for number in replays)]


# A table is looked up for one row, or scanned for any number.
BY_INDEX, BY_SCAN = 0, 10**9


# Each example empties the tables itself, and the fixtures only lend connections.
@pytest.mark.parametrize("scanned_bytes_per_lookup", [BY_INDEX, BY_SCAN], ids=["by index", "by scan"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=batches())
async def test_any_order_batching_and_replay_gives_the_table_of_the_oracle(
    engine: AsyncEngine,
    connection: asyncpg.Connection,
    scanned_bytes_per_lookup: int,
    loads: list[list[Observation]],
) -> None:
    store = PostgresLoadStore(engine, TIMEOUT, scanned_bytes_per_lookup)
    await connection.execute(EMPTY)
    read: list[Observation] = []
    first_told: dict[Observation, str] = {}
    for number, batch in enumerate(loads):
        before, known = await written_rows(connection), set(batch) <= set(read)
        counts = await _load(store, f"load-{number}", batch)
        expected = account(read, batch)
        read.extend(batch)
        first_told |= {seen: f"load-{number}" for seen in batch if seen not in first_told}
        assert counts == LoadCounts(*(expected[name] for name in ("new", "changed", "unchanged", "late")))
        assert counts.rows == len(batch)
        assert await stored_versions(connection) == history(read)
        assert await stored_observations(connection) == len(set(read))
        assert await stored_origins(connection) == origins(read, first_told)
        assert (await written_rows(connection) == before) >= known


async def _load(store: PostgresLoadStore, load_id: str, batch: Sequence[Observation]) -> LoadCounts:
    async def work(transaction: LoadTransaction) -> LoadCounts:
        await transaction.stage("payments", record_batches(batch))
        return await transaction.merge_payments(load_id, recorded_at(load_id))

    return await store.transact(work)
