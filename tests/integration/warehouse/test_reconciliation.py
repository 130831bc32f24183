"""A full pass beside what stands: what it did not show is told by key, and nothing is deleted."""

import json
from collections.abc import Sequence
from datetime import date, timedelta

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.clock import utc_now
from services.runtime.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.adapters.load_store import PostgresLoadStore
from services.warehouse.adapters.pass_keys import PassKeys
from services.warehouse.adapters.reads import PostgresReads
from services.warehouse.domain.reconciliation import Comparison, MissingReport
from services.warehouse.queries import PageRequest
from services.warehouse.reconciling import Reconciliations
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import TIMEOUT, Loader
from tests.integration.warehouse.lake_writer import put_pass
from tests.integration.warehouse.oracle import EPOCH, Observation
from tests.integration.warehouse.tables import stored_versions

DAY = timedelta(days=1)
SINCE = EPOCH.date() - DAY
A, B, C = (Observation(f"p{number}", "A", EPOCH + number * DAY) for number in range(3))


@pytest.fixture
def reconciliations(engine: AsyncEngine, reads: PostgresReads, object_store: LocalObjectStore) -> Reconciliations:
    """The comparing side."""
    return Reconciliations(PostgresLoadStore(engine, TIMEOUT), reads, PassKeys(object_store, batch_rows=2), utc_now)


class Passes:
    """Loads passes over a source and compares them with what stands."""

    def __init__(self, reconciliations: Reconciliations, loads: Loads, store: LocalObjectStore) -> None:
        self.reconciliations = reconciliations
        self._loads = loads
        self._store = store

    async def load(self, *shown: Observation, since: date = SINCE, refused: Sequence[str] = ()) -> None:
        """The pass, as the load `pass`."""
        await self._loads.load_payments(put_pass(self._store, "pass", shown, since=since, refused=refused))

    async def reconcile(self, *shown: Observation, since: date = SINCE, refused: Sequence[str] = ()) -> MissingReport:
        """All of it: begin, read, load, compare."""
        start = await self.reconciliations.start()
        await self.load(*shown, since=since, refused=refused)
        return await self.reconciliations.report_missing(Comparison("pass", start.sequence))

    async def missing(self) -> list[str]:
        """The ids of the report's payments."""
        _, page = await self.reconciliations.missing_payments("pass", PageRequest(0, ""))
        return [row.payment_id for row in page.rows]


@pytest.fixture
def passes(reconciliations: Reconciliations, loads: Loads, object_store: LocalObjectStore) -> Passes:
    """For tests that say what a source shows."""
    return Passes(reconciliations, loads, object_store)


def raw(observation: Observation, **changes: object) -> str:
    """A row of the source as text."""
    return json.dumps({"id": observation.payment_id, "company_code": observation.company_code} | changes)


async def test_a_start_tells_the_oldest_update_and_the_place_in_the_ledger(loader: Loader, passes: Passes) -> None:
    before = await passes.reconciliations.start()
    await loader.payments(B, A)
    await loader.payments(C)
    after = await passes.reconciliations.start()
    assert (before.first_updated_at, before.sequence) == (None, 0)
    assert (after.first_updated_at, after.sequence) == (EPOCH, 2)


async def test_payments_that_the_source_does_not_show_any_more_are_told_and_stay(
    loader: Loader, passes: Passes, connection: asyncpg.Connection
) -> None:
    await loader.payments(A, B, C)
    before = await stored_versions(connection)
    report = await passes.reconcile(B)
    assert (report.compared, report.missing, report.listed) == (3, 2, 2)
    assert await passes.missing() == ["p0", "p2"]
    assert await stored_versions(connection) == before


async def test_the_same_payment_id_of_another_company_is_another_payment(loader: Loader, passes: Passes) -> None:
    await loader.payments(A, Observation("p0", "B", EPOCH))
    assert (await passes.reconcile(A)).missing == 1


async def test_what_was_loaded_since_the_pass_began_is_not_missing(loader: Loader, passes: Passes) -> None:
    changed = Observation("p1", "A", EPOCH + 9 * DAY, status="refunded")
    confirmed = Observation("p2", "A", EPOCH + 9 * DAY)
    late = Observation("p3", "A", EPOCH, status="pending")
    await loader.payments(A, B, C, Observation("p3", "A", EPOCH + DAY))
    start = await passes.reconciliations.start()
    await loader.payments(changed, confirmed, late, Observation("p4", "A", EPOCH))
    await passes.load()
    report = await passes.reconciliations.report_missing(Comparison("pass", start.sequence))
    assert (report.compared, report.missing) == (5, 1)
    assert await passes.missing() == ["p0"]


async def test_what_was_updated_before_the_window_of_the_pass_is_not_missing(loader: Loader, passes: Passes) -> None:
    await loader.payments(A, B, C)
    report = await passes.reconcile(since=EPOCH.date())
    assert (report.compared, report.missing) == (2, 2)


async def test_refused_rows_of_the_pass_are_not_missing_where_their_key_can_be_read(
    loader: Loader, passes: Passes
) -> None:
    number = Observation("7", "5", EPOCH)
    await loader.payments(A, B, C, number)
    refused = [raw(A, amount="much"), raw(number, id=7, company_code=" 5 "), raw(C)[:-1], "7", raw(B, id=None)]
    assert (await passes.reconcile(refused=refused)).missing == 2
    assert await passes.missing() == ["p1", "p2"]


async def test_a_report_is_listed_page_by_page(loader: Loader, passes: Passes) -> None:
    await loader.payments(*(Observation(f"p{number}", "A", EPOCH) for number in range(5)))
    await passes.reconcile()
    seen: list[str] = []
    token = ""
    while token or not seen:
        report, page = await passes.reconciliations.missing_payments("pass", PageRequest(2, token))
        assert report.missing == 5
        seen += [row.payment_id for row in page.rows]
        token = page.next_token
    assert seen == [f"p{number}" for number in range(5)]


async def test_a_report_keeps_what_fits_and_counts_all(loader: Loader, passes: Passes) -> None:
    await loader.payments(A, B, C)
    await passes.load()
    report = await passes.reconciliations.report_missing(Comparison("pass", 1, most_listed=2))
    assert (report.missing, report.listed) == (3, 2)
    assert await passes.missing() == ["p0", "p1"]


async def test_the_same_comparison_again_is_the_recorded_answer_and_another_is_refused(
    loader: Loader, passes: Passes
) -> None:
    await loader.payments(A, B)
    first = await passes.reconcile(B)
    await loader.payments(C)
    again = await passes.reconciliations.report_missing(Comparison("pass", first.begun_sequence))
    assert (again.replayed, again.missing, again.reported_at) == (True, 1, first.reported_at)
    with pytest.raises(AlreadyExists, match="compared already"):
        await passes.reconciliations.report_missing(Comparison("pass", first.begun_sequence + 1))


async def test_a_load_of_chosen_rows_is_no_pass(loader: Loader, passes: Passes) -> None:
    load = await loader.payments(A, B)
    with pytest.raises(FailedPrecondition, match="not of a pass"):
        await passes.reconciliations.report_missing(Comparison(load.load_id, 0))


async def test_what_was_never_loaded_or_compared_is_not_found(passes: Passes) -> None:
    with pytest.raises(NotFound, match="load the pass first"):
        await passes.reconciliations.report_missing(Comparison("unknown", 0))
    with pytest.raises(NotFound, match="no report"):
        await passes.reconciliations.missing_payments("unknown", PageRequest(0, ""))
    with pytest.raises(InvalidArgument, match="begun_sequence"):
        await passes.reconciliations.report_missing(Comparison("pass", -1))


async def test_reports_older_than_a_year_are_forgotten(
    loader: Loader, passes: Passes, loads: Loads, object_store: LocalObjectStore, connection: asyncpg.Connection
) -> None:
    await loader.payments(A, B)
    await passes.reconcile(B)
    await connection.execute("UPDATE warehouse.reconciliations SET reported_at = reported_at - interval '366 days'")
    await loads.load_payments(put_pass(object_store, "next", [B], since=SINCE))
    await passes.reconciliations.report_missing(Comparison("next", 2))
    with pytest.raises(NotFound, match="of the last year"):
        await passes.missing()
    assert await connection.fetchval("SELECT count(*) FROM warehouse.missing_payments") == 1


async def test_a_former_leader_reports_nothing(
    loader: Loader, passes: Passes, loads: Loads, connection: asyncpg.Connection
) -> None:
    await loader.payments(A)
    await passes.load()
    await loads.announce_leader(2)
    with pytest.raises(FailedPrecondition) as refused:
        await passes.reconciliations.report_missing(Comparison("pass", 1, leader_epoch=1))
    assert refused.value.reason == "FENCED"
    assert await connection.fetchval("SELECT count(*) FROM warehouse.reconciliations") == 0
