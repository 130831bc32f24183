"""The catalogue: its history, retirement and return; never emptied by an answer that is not whole."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.runtime.clock import utc_now
from services.runtime.errors import FailedPrecondition, InvalidArgument, NotFound
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.domain.history import CompanyVersion
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.queries import PageRequest, Queries
from services.warehouse.workflow import Loads
from tests.integration.warehouse.conftest import Loader
from tests.integration.warehouse.lake_writer import Company, put_companies
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation

WEEK = timedelta(days=7)
A, B, C = Company("A", 1), Company("B", 2), Company("C", 3)


async def catalogue(queries: Queries, *, include_retired: bool = False) -> list[CompanyVersion]:
    return (await queries.companies(PageRequest(0, ""), include_retired=include_retired)).rows


async def test_a_first_catalogue_is_new(loader: Loader, queries: Queries) -> None:
    load = await loader.companies(A, B)
    assert load.counts == LoadCounts(new=2, changed=0, unchanged=0)
    assert [(row.company_code, row.start_date, row.end_date) for row in await catalogue(queries)] == [
        ("A", EPOCH, None),
        ("B", EPOCH, None),
    ]


async def test_a_catalogue_that_is_the_same_a_week_later_writes_no_version(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, replace(B, category_id=None, category_name=None, is_top_biller=None))
    load = await loader.companies(
        A, replace(B, category_id=None, category_name=None, is_top_biller=None), source_time=EPOCH + WEEK
    )
    assert load.counts == LoadCounts(new=0, changed=0, unchanged=2)
    assert (await queries.statistics()).company_versions == 2


@pytest.mark.parametrize(
    "changed",
    [
        replace(A, company_id=9),
        replace(A, company_name="Other"),
        replace(A, category_id=None),
        replace(A, category_name="Other"),
        replace(A, is_top_biller=None),
    ],
)
async def test_a_changed_attribute_begins_a_version_at_the_source_s_time(
    loader: Loader, queries: Queries, changed: Company
) -> None:
    await loader.companies(A, B)
    load = await loader.companies(changed, B, source_time=EPOCH + WEEK)
    first, second = await queries.company_history("A")
    assert load.counts == LoadCounts(new=0, changed=1, unchanged=1)
    assert (first.start_date, first.end_date) == (EPOCH, EPOCH + WEEK)
    assert (second.start_date, second.end_date) == (EPOCH + WEEK, None)


async def test_a_company_that_disappears_is_retired_and_keeps_its_name(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, B, C)
    load = await loader.companies(A, B, source_time=EPOCH + WEEK)
    assert load.counts == LoadCounts(new=0, changed=0, unchanged=2, retired=1)
    assert [row.company_code for row in await catalogue(queries)] == ["A", "B"]
    retired = (await catalogue(queries, include_retired=True))[-1]
    assert (retired.company_code, retired.company_id, retired.is_retired) == ("C", 3, True)


async def test_a_retired_company_stays_retired_without_another_version(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, B, C)
    await loader.companies(A, B, source_time=EPOCH + WEEK)
    load = await loader.companies(A, B, source_time=EPOCH + 2 * WEEK)
    assert load.counts == LoadCounts(new=0, changed=0, unchanged=2, retired=0)
    assert len(await queries.company_history("C")) == 2


async def test_a_company_that_returns_goes_on(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, B, C)
    await loader.companies(A, B, source_time=EPOCH + WEEK)
    load = await loader.companies(A, B, C, source_time=EPOCH + 2 * WEEK)
    assert load.counts == LoadCounts(new=0, changed=1, unchanged=2)
    assert [version.is_retired for version in await queries.company_history("C")] == [False, True, False]


async def test_two_catalogues_of_one_moment_never_make_a_version_end_when_it_began(
    loader: Loader, queries: Queries
) -> None:
    await loader.companies(A)
    await loader.companies(replace(A, company_name="Other"))
    first, second = await queries.company_history("A")
    assert (first.start_date, first.end_date) == (EPOCH, EPOCH + MICROSECOND)
    assert second.start_date == EPOCH + MICROSECOND


async def test_a_catalogue_that_was_read_earlier_than_the_one_in_force_is_refused(
    loader: Loader, queries: Queries
) -> None:
    await loader.companies(A, B)
    with pytest.raises(FailedPrecondition, match="read later is loaded already"):
        await loader.companies(A, source_time=EPOCH - WEEK)
    assert [row.company_code for row in await catalogue(queries)] == ["A", "B"]


async def test_a_company_whose_row_was_refused_is_not_retired(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, B, C)
    load = await loader.companies(A, B, source_time=EPOCH + WEEK, refused=1)
    assert load.counts.retired == 0
    assert [row.company_code for row in await catalogue(queries)] == ["A", "B", "C"]


async def test_of_a_code_listed_twice_the_row_read_later_counts(loader: Loader, queries: Queries) -> None:
    load = await loader.companies(A, B, replace(A, company_name="Later"))
    assert load.counts == LoadCounts(new=2, changed=0, unchanged=1)
    assert [row.company_name for row in await catalogue(queries)] == ["Later", "Name"]


@pytest.mark.parametrize("listed", [[], [A]], ids=["empty", "a third"])
async def test_an_empty_or_partial_catalogue_changes_nothing(
    loader: Loader, queries: Queries, listed: list[Company]
) -> None:
    await loader.companies(A, B, C)
    with pytest.raises(FailedPrecondition, match="stays as it was"):
        await loader.companies(*listed, source_time=EPOCH + WEEK)
    assert len(await catalogue(queries)) == 3


async def test_retired_companies_are_no_measure_of_the_next_catalogue(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, B, C, Company("D"))
    await loader.companies(A, B, source_time=EPOCH + WEEK)
    await loader.companies(A, source_time=EPOCH + 2 * WEEK)
    assert [row.company_code for row in await catalogue(queries)] == ["A"]


async def test_doubled_rows_do_not_make_a_partial_catalogue_whole(loader: Loader) -> None:
    await loader.companies(A, B, C)
    with pytest.raises(FailedPrecondition, match="lacks 2 of the 3"):
        await loader.companies(A, A, A, source_time=EPOCH + WEEK)


async def test_a_catalogue_of_the_future_is_refused(loader: Loader) -> None:
    with pytest.raises(FailedPrecondition, match="source_time"):
        await loader.companies(A, source_time=utc_now() + timedelta(hours=1))


async def test_the_same_load_again_is_the_recorded_answer(loads: Loads, object_store: LocalObjectStore) -> None:
    request = put_companies(object_store, "run-1", [A, B])
    first = await loads.load_companies(request)
    second = await loads.load_companies(request)
    assert second.replayed
    assert second.counts == first.counts


async def test_the_companies_watermark_is_the_source_time_of_the_recorded_load(
    loads: Loads, loader: Loader, queries: Queries
) -> None:
    load = await loader.companies(A, source_time=EPOCH + WEEK)
    assert await queries.watermarks() == {}
    watermark, recorded = await loads.record_companies_update(load.load_id)
    assert (watermark, recorded.load_id) == (EPOCH + WEEK, load.load_id)
    assert await queries.watermarks() == {"companies": EPOCH + WEEK}


async def test_recording_an_older_load_does_not_move_the_watermark_back(loads: Loads, loader: Loader) -> None:
    old = await loader.companies(A, source_time=EPOCH)
    new = await loader.companies(A, source_time=EPOCH + WEEK)
    await loads.record_companies_update(new.load_id)
    assert (await loads.record_companies_update(old.load_id))[0] == EPOCH + WEEK


async def test_the_ledger_has_one_order_of_loads_and_recorded_updates(
    loads: Loads, loader: Loader, queries: Queries
) -> None:
    first = await loader.companies(A, source_time=EPOCH)
    payments = await loader.payments(Observation("p1", "A", EPOCH))
    await loads.record_companies_update(first.load_id)
    second = await loader.companies(A, source_time=EPOCH + WEEK)
    await loads.record_companies_update(first.load_id)
    entries = [await queries.load(load.load_id) for load in (first, payments, second)]
    assert [(entry.sequence, entry.update_sequence) for entry in entries] == [(1, 3), (2, None), (4, None)]
    assert [load.sequence for load in (first, payments, second)] == [1, 2, 4]


async def test_only_a_committed_load_of_companies_can_be_recorded(loads: Loads, loader: Loader) -> None:
    payments = await loader.payments(Observation("p1", "A", EPOCH))
    with pytest.raises(NotFound, match="unknown"):
        await loads.record_companies_update("unknown")
    with pytest.raises(InvalidArgument, match="payments"):
        await loads.record_companies_update(payments.load_id)


async def test_a_catalogue_of_as_many_but_other_companies_is_refused(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, B, C)
    with pytest.raises(FailedPrecondition, match="lacks 3 of the 3 active companies"):
        await loader.companies(Company("X"), Company("Y"), Company("Z"), source_time=EPOCH + WEEK)
    assert [row.company_code for row in await catalogue(queries)] == ["A", "B", "C"]


async def test_a_catalogue_whose_missing_rows_were_refused_is_loaded(loader: Loader, queries: Queries) -> None:
    await loader.companies(A, B, C)
    load = await loader.companies(replace(A, company_name="Other"), source_time=EPOCH + WEEK, refused=2)
    assert load.counts == LoadCounts(new=0, changed=1, unchanged=0)
    assert [row.company_name for row in await catalogue(queries)] == ["Other", "Name", "Name"]


async def test_fewer_companies_are_taken_when_the_caller_says_so_and_none_never(
    loads: Loads, object_store: LocalObjectStore, loader: Loader, queries: Queries
) -> None:
    await loader.companies(A, B, C)
    fewer = put_companies(object_store, "fewer", [A], source_time=EPOCH + WEEK)
    none = put_companies(object_store, "none", [], source_time=EPOCH + 2 * WEEK)
    assert (await loads.load_companies(replace(fewer, accept_fewer_companies=True))).counts.retired == 2
    with pytest.raises(FailedPrecondition, match="the catalogue is empty"):
        await loads.load_companies(replace(none, accept_fewer_companies=True))
    assert [row.company_code for row in await catalogue(queries)] == ["A"]
