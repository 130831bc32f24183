"""Loads of payments: history, counts, ledger and watermark, all or nothing."""

from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from services.runtime.clock import utc_now
from services.runtime.errors import AlreadyExists, FailedPrecondition, InvalidArgument
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.domain.loads import LoadCounts, LoadRequest
from services.warehouse.queries import Queries
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import Loader
from tests.integration.warehouse.lake_writer import Company, payments_table, put_companies, put_manifest, put_payments
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation, history
from tests.integration.warehouse.tables import stored_versions, written_rows

DAY = timedelta(days=1)


def paid(day: int, amount: str = "1.00", payment_id: str = "p1") -> Observation:
    return Observation(payment_id, "A", EPOCH + day * DAY, amount=Decimal(amount))


async def spans(connection: asyncpg.Connection) -> list[tuple[str, int, int | None]]:
    """Of p1: amount, first day, and the day on which the version ends."""
    rows = await connection.fetch("SELECT * FROM warehouse.payments WHERE payment_id = 'p1' ORDER BY start_date")
    days = [(row["start_date"] - EPOCH, row["end_date"] and row["end_date"] - EPOCH) for row in rows]
    return [(str(row["amount"]), a.days, b and b.days) for row, (a, b) in zip(rows, days, strict=True)]


async def test_the_first_observation_of_a_key_is_new(loader: Loader, connection: asyncpg.Connection) -> None:
    load = await loader.payments(paid(1), paid(1, payment_id="p2"))
    assert load.counts == LoadCounts(new=2, changed=0, unchanged=0)
    assert await spans(connection) == [("1.00", 1, None)]


async def test_a_newer_observation_with_other_attributes_ends_the_version_before(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    await loader.payments(paid(1))
    load = await loader.payments(paid(3, "2.00"))
    assert load.counts == LoadCounts(new=0, changed=1, unchanged=0)
    assert await spans(connection) == [("1.00", 1, 3), ("2.00", 3, None)]


async def test_a_newer_observation_with_the_same_attributes_is_unchanged_and_no_version(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    await loader.payments(paid(1))
    load = await loader.payments(paid(3))
    assert load.counts == LoadCounts(new=0, changed=0, unchanged=1)
    assert await spans(connection) == [("1.00", 1, None)]


async def test_a_late_row_is_placed_inside_history(loader: Loader, connection: asyncpg.Connection) -> None:
    await loader.payments(paid(1), paid(5, "5.00"))
    load = await loader.payments(paid(3, "3.00"))
    assert load.counts == LoadCounts(new=0, changed=0, unchanged=0, late=1)
    assert await spans(connection) == [("1.00", 1, 3), ("3.00", 3, 5), ("5.00", 5, None)]


async def test_a_late_row_between_equal_ones_makes_a_version_of_the_one_that_was_none(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    await loader.payments(paid(1))
    await loader.payments(paid(3))
    await loader.payments(paid(2, "2.00"))
    assert await spans(connection) == [("1.00", 1, 2), ("2.00", 2, 3), ("1.00", 3, None)]


async def test_a_version_is_recorded_as_the_load_that_observed_its_start(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    await loader.payments(paid(1))
    await loader.payments(paid(3))
    await loader.payments(paid(2, "2.00"))
    rows = await connection.fetch("SELECT load_id FROM warehouse.payments ORDER BY start_date")
    assert [row["load_id"] for row in rows] == ["load-1", "load-3", "load-2"]


async def test_a_late_row_equal_to_the_version_after_it_moves_its_start(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    await loader.payments(paid(1), paid(5, "5.00"))
    await loader.payments(paid(3, "5.00"))
    assert await spans(connection) == [("1.00", 1, 3), ("5.00", 3, None)]


async def test_of_a_tie_the_row_read_later_wins_a_microsecond_later(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    load = await loader.payments(paid(1), paid(1, "2.00"), paid(1, "3.00"))
    assert load.counts == LoadCounts(new=1, changed=2, unchanged=0)
    starts = await connection.fetch("SELECT start_date, amount FROM warehouse.payments ORDER BY start_date")
    first = EPOCH + DAY
    assert [(row["start_date"], str(row["amount"])) for row in starts] == [
        (first, "1.00"),
        (first + MICROSECOND, "2.00"),
        (first + 2 * MICROSECOND, "3.00"),
    ]


async def test_a_row_that_is_read_again_after_its_tie_is_still_the_one_read_first(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    rows = (paid(1), paid(1, "2.00"), paid(1))
    load = await loader.payments(*rows)
    assert load.counts == LoadCounts(new=1, changed=1, unchanged=1)
    assert await stored_versions(connection) == history(rows)


async def test_a_replay_of_either_of_two_tied_rows_is_recognised(
    loader: Loader, connection: asyncpg.Connection
) -> None:
    rows = (paid(1), paid(1, "2.00"))
    await loader.payments(*rows)
    load = await loader.payments(*reversed(rows))
    assert load.counts == LoadCounts(new=0, changed=0, unchanged=2)
    assert await stored_versions(connection) == history(rows)


async def test_a_payment_that_loses_its_time_changes(loader: Loader) -> None:
    await loader.payments(paid(1))
    load = await loader.payments(Observation("p1", "A", EPOCH + 2 * DAY, amount=Decimal("1.00"), payment_at=None))
    assert load.counts.changed == 1


async def test_one_payment_of_two_companies_is_two_payments(loader: Loader) -> None:
    load = await loader.payments(paid(1), Observation("p1", "B", EPOCH + DAY))
    assert load.counts.new == 2


async def test_rows_already_seen_write_nothing_but_the_ledger(loader: Loader, connection: asyncpg.Connection) -> None:
    rows = (paid(1), paid(2), paid(3, "2.00"), paid(3, "3.00"))
    await loader.payments(*rows)
    before = await written_rows(connection)
    load = await loader.payments(*rows)
    after = await written_rows(connection)
    assert load.counts == LoadCounts(new=0, changed=0, unchanged=4)
    assert [row for row in after if row not in before] == [row for row in after if row[0] == "loads"][-1:]


async def test_a_manifest_without_rows_is_a_load(loader: Loader) -> None:
    load = await loader.payments()
    assert load.counts.rows == 0


async def test_texts_arrive_as_they_are(loader: Loader, queries: Queries) -> None:
    text = 'a "quoted", line\nand \\. \t äöü €'
    await loader.payments(Observation("p1", "A", EPOCH, status=text, external_client_id=""))
    (version,) = await queries.payment_history("p1", "A")
    assert version.status == text
    assert version.external_client_id == ""


async def test_a_text_that_postgresql_cannot_store_is_refused_and_nothing_is_loaded(
    loader: Loader, queries: Queries
) -> None:
    with pytest.raises(FailedPrecondition, match="quarantine") as refused:
        await loader.payments(paid(1), Observation("p2", "A", EPOCH, status="secret\0"))
    assert "secret" not in str(refused.value)
    assert (await queries.statistics()).payment_versions == 0


async def test_the_same_load_again_is_the_recorded_answer(
    loads: Loads, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    request = put_payments(object_store, "run-1", [paid(1)], watermark=EPOCH + DAY)
    first = await loads.load_payments(request)
    before = await written_rows(connection)
    second = await loads.load_payments(request)
    assert second.replayed
    assert not first.replayed
    assert (second.counts, second.committed_at, second.watermark) == (first.counts, first.committed_at, EPOCH + DAY)
    assert await written_rows(connection) == before


async def test_a_replay_does_not_need_the_lake(loads: Loads, object_store: LocalObjectStore) -> None:
    request = put_payments(object_store, "run-1", [paid(1)])
    await loads.load_payments(request)
    object_store.delete(request.manifest_key)
    assert (await loads.load_payments(request)).replayed


async def test_the_same_id_with_another_manifest_is_refused(
    loads: Loads, object_store: LocalObjectStore, queries: Queries
) -> None:
    await loads.load_payments(put_payments(object_store, "run-1", [paid(1)]))
    other = put_payments(object_store, "run-2", [paid(2, "2.00")])
    with pytest.raises(AlreadyExists, match="run-1"):
        await loads.load_payments(LoadRequest("run-1", other.manifest_key, other.manifest_sha256))
    assert (await queries.statistics()).payment_versions == 1


async def test_the_watermark_moves_with_its_rows_and_never_back(loader: Loader, queries: Queries) -> None:
    await loader.payments(paid(3), watermark=EPOCH + 3 * DAY)
    load = await loader.payments(paid(2), watermark=EPOCH + 2 * DAY)
    assert load.watermark == EPOCH + 3 * DAY
    assert await queries.watermarks() == {"payments": EPOCH + 3 * DAY}


async def test_a_load_without_a_watermark_leaves_it_where_it_is(loader: Loader, queries: Queries) -> None:
    first = await loader.payments(paid(3))
    await loader.payments(paid(4), watermark=EPOCH + DAY)
    third = await loader.payments(paid(5))
    assert first.watermark is None
    assert third.watermark == EPOCH + DAY
    assert await queries.watermarks() == {"payments": EPOCH + DAY}


async def test_a_watermark_in_the_future_is_refused_and_nothing_is_loaded(loader: Loader, queries: Queries) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await loader.payments(paid(1), watermark=utc_now() + timedelta(hours=1))
    assert refused.value.field == "advance_watermark_to"
    assert (await queries.statistics()).payment_versions == 0


async def test_a_manifest_of_companies_is_no_load_of_payments(loads: Loads, object_store: LocalObjectStore) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await loads.load_payments(put_companies(object_store, "run-1", [Company("A")]))
    assert refused.value.field == "manifest_key"


async def test_the_parts_of_a_manifest_are_one_load(
    loads: Loads, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    rows = [paid(day, f"{day}.00") for day in range(1, 11)]
    tables = [payments_table(rows[:4]), payments_table([]), payments_table(rows[4:])]
    key, sha256 = put_manifest(object_store, "run-1", "payments", tables)
    load = await loads.load_payments(LoadRequest("run-1", key, sha256))
    assert load.counts == LoadCounts(new=1, changed=9, unchanged=0)
    assert await stored_versions(connection) == history(rows)
