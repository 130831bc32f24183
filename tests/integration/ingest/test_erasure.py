"""A client is erased on request: from everything, for good, alone in the house, and without a trace of the request."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import grpc
import pytest

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2 as pb
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.indexer_server import IndexerServer
from tests.integration.ingest.serving import CALL_SECONDS, Ingest, refusal, step_of
from tests.integration.ingest.source_server import NOW, SourceServer, payment
from tests.integration.ingest.warehouse_server import WarehouseServer

CLIENT = "client-3"
OTHERS = "SELECT * FROM warehouse.payments ORDER BY payment_id, company_code, start_date"


async def rows_of_others(url: str) -> list[asyncpg.Record]:
    """All rows of payments but the client's, with everything that is known of them."""
    connection = await asyncpg.connect(url)
    try:
        return [row for row in await connection.fetch(OTHERS) if row["external_client_id"] != CLIENT]
    finally:
        await connection.close()


async def request(ingest: Ingest, client: str = CLIENT, request_id: str = "") -> pb.Erasure:
    """EraseClient."""
    asked = pb.EraseClientRequest(external_client_id=client, request_id=request_id)
    return (await ingest.stub.EraseClient(asked, timeout=CALL_SECONDS)).erasure


async def record(ingest: Ingest, erasure_id: str) -> pb.Erasure:
    """GetErasure."""
    return (await ingest.stub.GetErasure(pb.GetErasureRequest(erasure_id=erasure_id), timeout=CALL_SECONDS)).erasure


async def erase(ingest: Ingest, client: str = CLIENT) -> pb.Erasure:
    """An erasure, ended well."""
    erasure = await request(ingest, client)
    run = await ingest.end_of(erasure.erasure_id)
    assert run.state == pb.RUN_STATE_SUCCEEDED, run
    return await record(ingest, erasure.erasure_id)


@pytest.fixture
async def loaded(ingest: Ingest) -> Ingest:
    """An ingest whose twenty payments, three of them the client's, are in the warehouse."""
    await ingest.load_companies()
    run = await ingest.recommendations()
    assert run.account.new == 20
    return ingest


async def test_an_erased_client_is_gone_and_the_others_are_as_before(loaded: Ingest, url: str) -> None:
    before = await rows_of_others(url)

    erasure = await erase(loaded)

    assert (erasure.versions, erasure.confirmations) == (3, 0)
    assert erasure.HasField("completed_at")
    assert await rows_of_others(url) == before
    assert len(before) == 17


async def test_the_client_does_not_come_back_with_a_later_pass(
    loaded: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    erasure = await erase(loaded)
    source.payments += [payment(99, external_client_id=CLIENT, amount="much"), payment(100, external_client_id="new")]

    run = await loaded.recommendations()
    backfill = await loaded.end_of((await loaded.backfill("2020-01-01", NOW.date().isoformat())).run_id)

    saved = step_of(run, "save_payments_to_bucket")
    assert (saved.counts["read"], saved.counts["erased"]) == (18, 4)
    assert (run.account.read, run.account.new, run.account.unchanged, run.account.quarantined) == (18, 1, 17, 0)
    assert (backfill.account.read, backfill.account.unchanged) == (18, 18)
    assert (await warehouse.statistics()).payment_versions == 18
    assert (await loaded.quarantined(run.run_id)).rows == []
    assert (await record(loaded, erasure.erasure_id)).versions == 3


async def test_an_erasure_without_any_such_client_ends_well(loaded: Ingest, warehouse: WarehouseServer) -> None:
    erasure = await erase(loaded, "nobody")

    assert (erasure.versions, (await warehouse.statistics()).payment_versions) == (0, 20)


async def test_an_erasure_waits_for_the_run_at_work_and_later_runs_wait_for_it(
    serve: Serve, source: SourceServer, warehouse: WarehouseServer
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serve())
        async with serve() as second:
            await first.load_companies()
            source.open.clear()
            daily = await first.run(pb.PIPELINE_RECOMMENDATIONS)
            await first.working_on(daily.run_id, "save_payments_to_bucket")
            erasure = await request(second)
            other = await request(second, "client-4")
            later = await second.run(pb.PIPELINE_COMPANIES)
            # The leader goes, and the next one keeps the order.
            await stack.aclose()
            source.open.set()
            ends = await asyncio.gather(*(second.end_of(run) for run in (daily.run_id, erasure.erasure_id)))
            ends += await asyncio.gather(*(second.end_of(run) for run in (other.erasure_id, later.run_id)))

    assert [run.state for run in ends] == [pb.RUN_STATE_SUCCEEDED] * 4
    ended = [run.ended_at.ToNanoseconds() for run in ends[:-1]]
    begun = [run.started_at.ToNanoseconds() for run in ends[1:]]
    assert all(before <= after for before, after in zip(ended, begun, strict=True))
    assert (await warehouse.statistics()).payment_versions == 14


async def test_a_client_named_twice_by_one_request_is_one_erasure(loaded: Ingest) -> None:
    first, again = await request(loaded, request_id="letter 7"), await request(loaded, request_id="letter 7")

    assert first.erasure_id == again.erasure_id


async def test_a_request_id_of_another_clients_erasure_is_refused_and_nothing_is_queued(loaded: Ingest) -> None:
    first = await request(loaded, request_id="letter 7")

    refused = await refusal(request(loaded, "another-client", request_id="letter 7"))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "request_id")
    assert first.erasure_id in refused.message
    assert "another-client" not in refused.message
    listed = await loaded.stub.ListErasures(pb.ListErasuresRequest(), timeout=CALL_SECONDS)
    assert [erasure.erasure_id for erasure in listed.erasures] == [first.erasure_id]


async def test_an_index_that_is_not_good_enough_does_not_undo_the_erasure(
    loaded: Ingest, indexer: IndexerServer
) -> None:
    indexer.checks = [indexer_pb2.Check(name="beats popularity", passed=False, detail="0.1 < 0.2")]

    erasure = await erase(loaded)

    run = await loaded.get(erasure.erasure_id)
    assert "beats popularity" in step_of(run, "validate_payments_index").detail
    assert (erasure.HasField("completed_at"), erasure.index_version) == (True, "")
    indexer.checks = []
    daily = await loaded.recommendations()
    assert (await record(loaded, erasure.erasure_id)).index_version == f"v-{daily.run_id}"


async def test_the_record_names_the_first_index_without_the_client(loaded: Ingest) -> None:
    erasure = await erase(loaded)
    await loaded.recommendations()

    assert (await record(loaded, erasure.erasure_id)).index_version == f"v-{erasure.erasure_id}"


async def test_erasures_are_listed_newest_first_by_pages(loaded: Ingest) -> None:
    ids = [(await erase(loaded, client)).erasure_id for client in ("client-1", "client-2", "client-3")]

    first = await loaded.stub.ListErasures(pb.ListErasuresRequest(page_size=2), timeout=CALL_SECONDS)
    following = pb.ListErasuresRequest(page_size=2, page_token=first.next_page_token)
    second = await loaded.stub.ListErasures(following, timeout=CALL_SECONDS)

    assert [erasure.erasure_id for erasure in [*first.erasures, *second.erasures]] == ids[::-1]
    assert second.next_page_token == ""


@pytest.mark.parametrize(
    ("client", "request_id", "field"),
    [
        ("", "", "external_client_id"),
        ("x" * 1000, "", "external_client_id"),
        ("a\nb", "", "external_client_id"),
        (CLIENT, f"please erase {CLIENT}", "request_id"),
    ],
)
async def test_a_wrong_request_names_its_field_and_not_the_client(
    ingest: Ingest, client: str, request_id: str, field: str
) -> None:
    refused = await refusal(request(ingest, client, request_id))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, field)
    assert refused.message.count(field) == 1
    assert CLIENT not in refused.message


async def test_a_run_that_is_no_erasure_has_no_record_of_one(loaded: Ingest) -> None:
    daily: Any = (await loaded.list(size=1)).runs[0]

    refused = await refusal(record(loaded, daily.run_id))

    assert refused.code == grpc.StatusCode.NOT_FOUND
    pipeline = await refusal(loaded.run(pb.PIPELINE_ERASURE))
    assert (pipeline.field, "EraseClient" in pipeline.message) == ("pipeline", True)
