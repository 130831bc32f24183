"""Questions: how payments stood at a moment, page after page, the catalogue, and what a training would read."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.runtime.errors import FailedPrecondition, InvalidArgument, NotFound
from services.warehouse.adapters.reads import PostgresReads
from services.warehouse.domain.history import PaymentVersion, Statistics, TrainingSummary
from services.warehouse.domain.paging import page_token
from services.warehouse.queries import PageRequest, Queries
from tests.integration.warehouse.conftest import TIMEOUT, Loader
from tests.integration.warehouse.lake_writer import Company
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND, Observation

DAY = timedelta(days=1)
FIRST = PageRequest(0, "")


async def standing(queries: Queries, day: float) -> list[tuple[str, str]]:
    page = await queries.client_payments("client-1", EPOCH + day * DAY, FIRST)
    return [(row.payment_id, str(row.amount)) for row in page.rows]


async def pages(queries: Queries, size: int) -> list[list[PaymentVersion]]:
    found, token = [], ""
    while True:
        page = await queries.client_payments("client-1", None, PageRequest(size, token))
        found.append(page.rows)
        token = page.next_token
        if not token:
            return found


async def test_a_payment_stands_as_of_any_moment_as_it_was_then(loader: Loader, queries: Queries) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH + DAY, amount=Decimal(1)),
        Observation("p1", "A", EPOCH + 3 * DAY, amount=Decimal(2)),
    )
    assert await standing(queries, 0.5) == []
    assert await standing(queries, 1) == [("p1", "1.00")]
    assert await standing(queries, 2.9) == [("p1", "1.00")]
    assert await standing(queries, 3) == [("p1", "2.00")]


async def test_a_late_row_changes_how_the_past_stood(loader: Loader, queries: Queries) -> None:
    await loader.payments(Observation("p1", "A", EPOCH + 3 * DAY, amount=Decimal(2)))
    await loader.payments(Observation("p1", "A", EPOCH + DAY, amount=Decimal(1)))
    assert await standing(queries, 2) == [("p1", "1.00")]


async def test_a_payment_that_moved_to_another_client_left_the_first(loader: Loader, queries: Queries) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH), Observation("p1", "A", EPOCH + DAY, external_client_id="other")
    )
    assert await standing(queries, 0.5) == [("p1", "10.00")]
    assert await standing(queries, 1) == []


async def test_pages_give_every_payment_once_newest_first_and_those_without_time_last(
    loader: Loader, queries: Queries
) -> None:
    times = [EPOCH + 2 * DAY, EPOCH, None, EPOCH + 2 * DAY, None, EPOCH + DAY, EPOCH + 2 * DAY + MICROSECOND]
    await loader.payments(
        *(Observation(f"p{number}", "A", EPOCH, payment_at=moment) for number, moment in enumerate(times))
    )
    found = await pages(queries, 2)
    assert [len(rows) for rows in found] == [2, 2, 2, 1]
    assert [row.payment_id for rows in found for row in rows] == ["p6", "p3", "p0", "p5", "p1", "p4", "p2"]


async def test_a_full_last_page_has_no_next(loader: Loader, queries: Queries) -> None:
    await loader.payments(*(Observation(f"p{number}", "A", EPOCH) for number in range(4)))
    assert [len(rows) for rows in await pages(queries, 2)] == [2, 2]


async def test_later_pages_keep_the_moment_of_the_first(loader: Loader, queries: Queries) -> None:
    await loader.payments(Observation("p1", "A", EPOCH), Observation("p2", "A", EPOCH))
    first = await queries.client_payments("client-1", None, PageRequest(1, ""))
    await loader.payments(Observation("p1", "A", EPOCH + DAY, amount=Decimal(99)))
    moment = EPOCH + DAY / 2
    early = await queries.client_payments("client-1", moment, PageRequest(1, ""))
    rest = await queries.client_payments("client-1", None, PageRequest(1, early.next_token))
    assert first.next_token
    assert [str(row.amount) for row in rest.rows] == ["10.00"]


@pytest.mark.parametrize(
    "token", ["nonsense", page_token(["x"]), page_token(["never", "", "p", "A"]), page_token(["", "", "", ""])]
)
async def test_a_broken_token_is_refused_by_field(queries: Queries, token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await queries.client_payments("client-1", None, PageRequest(1, token))
    assert refused.value.field == "page_token"


async def test_a_history_is_all_versions_oldest_first(loader: Loader, queries: Queries) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH + DAY, status="refunded"),
        Observation("p1", "A", EPOCH),
        Observation("p1", "B", EPOCH),
    )
    versions = await queries.payment_history("p1", "A")
    assert [(row.status, row.start_date, row.end_date) for row in versions] == [
        ("paid", EPOCH, EPOCH + DAY),
        ("refunded", EPOCH + DAY, None),
    ]


async def test_what_was_never_seen_is_not_found(queries: Queries) -> None:
    with pytest.raises(NotFound):
        await queries.payment_history("p1", "A")
    with pytest.raises(NotFound):
        await queries.company_history("A")
    with pytest.raises(NotFound, match="run-9"):
        await queries.load("run-9")


async def test_the_catalogue_comes_in_pages_by_code(loader: Loader, queries: Queries) -> None:
    await loader.companies(*(Company(code) for code in ("b", "B", "a", "ä", "A")))
    first = await queries.companies(PageRequest(2, ""), include_retired=False)
    second = await queries.companies(PageRequest(2, first.next_token), include_retired=False)
    third = await queries.companies(PageRequest(2, second.next_token), include_retired=False)
    codes = [row.company_code for page in (first, second, third) for row in page.rows]
    assert codes == sorted(codes) == ["A", "B", "a", "b", "ä"]
    assert third.next_token == ""


async def test_a_search_finds_companies_by_a_part_of_code_or_name_whatever_the_case(
    loader: Loader, queries: Queries
) -> None:
    names = {"X1": "Blue Water", "water-2": "Zen", "c3": "50% off_", "c4": "Name"}
    await loader.companies(*(Company(code, company_name=name) for code, name in names.items()))

    async def found(matching: str) -> list[str]:
        page = await queries.companies(PageRequest(0, ""), include_retired=False, matching=matching)
        return [row.company_code for row in page.rows]

    assert await found("WATER") == ["X1", "water-2"]
    assert await found("%") == ["c3"]
    assert await found("_") == ["c3"]
    assert await found("nobody") == []
    with pytest.raises(InvalidArgument):
        await found("w" * 129)


async def test_statistics_count_versions_clients_and_companies(loader: Loader, queries: Queries) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH),
        Observation("p1", "A", EPOCH + DAY, external_client_id="client-2"),
        Observation("p2", "A", EPOCH, external_client_id="client-2"),
    )
    await loader.companies(Company("A"), Company("B"))
    await loader.companies(Company("A"), source_time=EPOCH + DAY)
    assert await queries.statistics() == Statistics(
        current_payments=2,
        payment_versions=3,
        clients=1,
        current_companies=1,
        retired_companies=1,
        company_versions=3,
    )


async def test_a_training_reads_current_paid_payments_with_a_time(loader: Loader, queries: Queries) -> None:
    await loader.payments(
        Observation("p1", "A", EPOCH, payment_at=EPOCH),
        Observation("p2", "B", EPOCH + DAY, payment_at=EPOCH + DAY),
        Observation("p3", "C", EPOCH, status="refunded"),
        Observation("p4", "D", EPOCH, payment_at=None),
        Observation("p5", "E", EPOCH),
        Observation("p5", "E", EPOCH + DAY, status="refunded"),
    )
    assert await queries.training_summary(None, ()) == TrainingSummary(2, 1, 2, EPOCH, EPOCH + DAY)
    assert (await queries.training_summary(None, ("paid", "refunded"))).payments == 4
    assert (await queries.training_summary(EPOCH, ())).payments == 0
    assert (await queries.training_summary(EPOCH - DAY, ())).payments == 1


async def test_an_empty_warehouse_answers_with_nothing(queries: Queries) -> None:
    assert await queries.training_summary(None, ()) == TrainingSummary(0, 0, 0, None, None)
    assert await queries.watermarks() == {}
    assert (await queries.client_payments("client-1", None, FIRST)).rows == []


@pytest.mark.parametrize("statuses", [("",), ("x" * 257,), ("paid",) * 21])
async def test_statuses_that_make_no_sense_are_refused(queries: Queries, statuses: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await queries.training_summary(None, statuses)
    assert refused.value.field == "statuses"


async def test_a_schema_of_another_revision_is_not_ready(reads: PostgresReads, queries: Queries) -> None:
    await queries.check_ready()
    newer = PostgresReads(reads._engine, "9999", TIMEOUT)
    with pytest.raises(FailedPrecondition, match="9999"):
        await newer.require_schema()
