"""The whole service over a real socket: calls, errors with their details, health."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.warehouse.v1 import warehouse_pb2 as pb
from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceStub
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore
from services.runtime.timestamps import timestamp_of
from services.warehouse.domain.loads import LoadRequest
from services.warehouse.migrate import migrate
from tests.integration.warehouse.lake_writer import Company, put_companies, put_payments
from tests.integration.warehouse.oracle import EPOCH, Observation
from tests.integration.warehouse.serving import NOT_SERVING, PATIENCE, SERVING, health, serving

if TYPE_CHECKING:
    from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceAsyncStub

DAY = timedelta(days=1)
SECRET = "card-0815"


@pytest.fixture
async def channel(
    engine: AsyncEngine, warehouse_url: str, object_store: LocalObjectStore
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the service on the emptied database, ready for work."""
    async with serving(warehouse_url, object_store._root) as opened:
        await health(opened, SERVING)
        yield opened


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "WarehouseServiceAsyncStub":
    """The service's methods."""
    return WarehouseServiceStub(channel)


def companies_request(request: LoadRequest) -> pb.LoadCompaniesRequest:
    return pb.LoadCompaniesRequest(
        load_id=request.load_id, manifest_key=request.manifest_key, manifest_sha256=request.manifest_sha256
    )


def payments_request(request: LoadRequest) -> pb.LoadPaymentsRequest:
    return pb.LoadPaymentsRequest(
        load_id=request.load_id,
        manifest_key=request.manifest_key,
        manifest_sha256=request.manifest_sha256,
        advance_watermark_to=timestamp_of(request.advance_watermark_to),
    )


async def refusal(call: Callable[[], Awaitable[object]]) -> tuple[grpc.StatusCode, list[str], str]:
    """Code, fields named by BadRequest, and everything that the caller was told."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call()
    trailer = dict(refused.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailer["grpc-status-details-bin"])
    request = error_details_pb2.BadRequest()
    fields = [v.field for detail in status.details if detail.Unpack(request) for v in request.field_violations]
    return refused.value.code(), fields, f"{refused.value.details()}{status}"


async def test_a_load_is_applied_once_and_told_again(
    stub: "WarehouseServiceAsyncStub", object_store: LocalObjectStore
) -> None:
    rows = [Observation("p1", "A", EPOCH), Observation("p1", "A", EPOCH + DAY, amount=Decimal("12.50"))]
    request = payments_request(put_payments(object_store, "run-1", rows, watermark=EPOCH + DAY))
    before = REGISTRY.get_sample_value("afin_warehouse_rows_total", {"dataset": "payments", "outcome": "changed"}) or 0
    first = (await stub.LoadPayments(request)).load
    second = (await stub.LoadPayments(request)).load
    after = REGISTRY.get_sample_value("afin_warehouse_rows_total", {"dataset": "payments", "outcome": "changed"})
    assert first.counts == pb.LoadCounts(rows=2, new=1, changed=1)
    assert (first.dataset, first.replayed, second.replayed) == ("payments", False, True)
    assert first.watermark == timestamp_of(EPOCH + DAY)
    assert (await stub.GetLoad(pb.GetLoadRequest(load_id="run-1"))).load.counts == first.counts
    assert after == before + 1
    watermark = REGISTRY.get_sample_value("afin_warehouse_watermark_timestamp_seconds", {"dataset": "payments"})
    assert watermark == (EPOCH + DAY).timestamp()


async def test_history_and_payments_of_a_client_come_back_as_loaded(
    stub: "WarehouseServiceAsyncStub", object_store: LocalObjectStore
) -> None:
    rows = [Observation("p1", "A", EPOCH), Observation("p1", "A", EPOCH + DAY, amount=Decimal("12.50"))]
    await stub.LoadPayments(payments_request(put_payments(object_store, "run-1", rows)))
    history = await stub.GetPaymentHistory(pb.GetPaymentHistoryRequest(payment_id="p1", company_code="A"))
    past = pb.ListClientPaymentsRequest(external_client_id="client-1", as_of=timestamp_of(EPOCH))
    assert [version.amount for version in history.versions] == ["10.00", "12.50"]
    assert [payment.amount for payment in (await stub.ListClientPayments(past)).payments] == ["10.00"]
    now = pb.ListClientPaymentsRequest(external_client_id="client-1", page_size=1)
    page = await stub.ListClientPayments(now)
    assert [payment.amount for payment in page.payments] == ["12.50"]
    assert page.next_page_token == ""


async def test_companies_are_loaded_recorded_and_listed(
    stub: "WarehouseServiceAsyncStub", object_store: LocalObjectStore
) -> None:
    request = put_companies(object_store, "run-1", [Company("A", 1), Company("B", 10**15, category_id=None)])
    load = (await stub.LoadCompanies(companies_request(request))).load
    recorded = await stub.RecordCompaniesUpdate(pb.RecordCompaniesUpdateRequest(load_id="run-1"))
    page = await stub.ListCompanies(pb.ListCompaniesRequest(page_size=1))
    rest = await stub.ListCompanies(pb.ListCompaniesRequest(page_size=1, page_token=page.next_page_token))
    assert load.counts == pb.LoadCounts(rows=2, new=2)
    assert recorded.companies == timestamp_of(EPOCH)
    assert (load.sequence, load.update_sequence, recorded.load.update_sequence) == (1, 0, 2)
    assert (await stub.GetWatermark(pb.GetWatermarkRequest())).companies == timestamp_of(EPOCH)
    assert [company.company_id for company in (*page.companies, *rest.companies)] == [1, 10**15]
    assert not rest.companies[0].HasField("category_id")
    versions = await stub.GetCompanyHistory(pb.GetCompanyHistoryRequest(company_code="A"))
    assert len(versions.versions) == 1


async def test_an_empty_warehouse_tells_zeros_and_no_watermark(stub: "WarehouseServiceAsyncStub") -> None:
    assert await stub.GetStatistics(pb.GetStatisticsRequest()) == pb.GetStatisticsResponse()
    assert await stub.GetTrainingSummary(pb.GetTrainingSummaryRequest()) == pb.GetTrainingSummaryResponse()
    assert await stub.GetWatermark(pb.GetWatermarkRequest()) == pb.GetWatermarkResponse()


async def test_wrong_fields_are_named(stub: "WarehouseServiceAsyncStub") -> None:
    good: dict[str, Any] = {"load_id": "run-1", "manifest_key": "raw/m.json", "manifest_sha256": "0" * 64}
    future = timestamp_of(utc_now() + DAY)
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "load_id": lambda: stub.LoadPayments(pb.LoadPaymentsRequest(**{**good, "load_id": "a b"})),
        "manifest_key": lambda: stub.LoadPayments(pb.LoadPaymentsRequest(**{**good, "manifest_key": "../m"})),
        "manifest_sha256": lambda: stub.LoadCompanies(pb.LoadCompaniesRequest(**{**good, "manifest_sha256": ""})),
        "advance_watermark_to": lambda: stub.LoadPayments(pb.LoadPaymentsRequest(**good, advance_watermark_to=future)),
        "payment_id": lambda: stub.GetPaymentHistory(pb.GetPaymentHistoryRequest(company_code="A")),
        "company_code": lambda: stub.GetCompanyHistory(pb.GetCompanyHistoryRequest(company_code="x" * 129)),
        "external_client_id": lambda: stub.ListClientPayments(pb.ListClientPaymentsRequest()),
        "page_size": lambda: stub.ListCompanies(pb.ListCompaniesRequest(page_size=1001)),
        "page_token": lambda: stub.ListCompanies(pb.ListCompaniesRequest(page_token="x")),
        "statuses": lambda: stub.GetTrainingSummary(pb.GetTrainingSummaryRequest(statuses=[""])),
    }
    for field, call in calls.items():
        code, fields, _ = await refusal(call)
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


async def test_what_is_missing_or_taken_or_refused_has_its_code(
    stub: "WarehouseServiceAsyncStub", object_store: LocalObjectStore
) -> None:
    first = payments_request(put_payments(object_store, "run-1", [Observation("p1", "A", EPOCH)]))
    await stub.LoadPayments(first)
    other = payments_request(put_payments(object_store, "run-2", []))
    other.load_id = "run-1"
    empty = put_companies(object_store, "run-3", [])
    assert (await refusal(lambda: stub.GetLoad(pb.GetLoadRequest(load_id="none"))))[0] == grpc.StatusCode.NOT_FOUND
    assert (await refusal(lambda: stub.LoadPayments(other)))[0] == grpc.StatusCode.ALREADY_EXISTS
    code, _, told = await refusal(lambda: stub.LoadCompanies(companies_request(empty)))
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert "CATALOGUE_REFUSED" in told


async def test_no_error_and_no_log_tells_a_client_id(
    stub: "WarehouseServiceAsyncStub", object_store: LocalObjectStore, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = Observation("p1", "A", EPOCH, external_client_id=f"{SECRET}\0")
    request = payments_request(put_payments(object_store, "run-1", [bad]))
    long_id = pb.ListClientPaymentsRequest(external_client_id=SECRET * 100)
    broken = pb.ListClientPaymentsRequest(external_client_id=SECRET, page_token="x")
    calls: list[Callable[[], Awaitable[object]]] = [
        partial(stub.LoadPayments, request),
        partial(stub.ListClientPayments, long_id),
        partial(stub.ListClientPayments, broken),
    ]
    for call in calls:
        _, _, told = await refusal(call)
        assert SECRET not in told
    await stub.ListClientPayments(pb.ListClientPaymentsRequest(external_client_id=SECRET))
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err


async def test_the_service_says_not_serving_until_the_database_is_migrated(
    database_url: str, object_store: LocalObjectStore
) -> None:
    async with serving(database_url, object_store._root) as channel:
        await health(channel, NOT_SERVING)
        code, _, told = await refusal(lambda: WarehouseServiceStub(channel).GetStatistics(pb.GetStatisticsRequest()))
        assert code == grpc.StatusCode.FAILED_PRECONDITION
        assert "services.warehouse.migrate" in told
        await migrate(database_url)
        await health(channel, SERVING)
        await WarehouseServiceStub(channel).GetStatistics(pb.GetStatisticsRequest())


async def test_without_a_database_the_service_lives_and_says_unavailable(object_store: LocalObjectStore) -> None:
    async with serving("postgresql://u:secret@127.0.0.1:1/afin", object_store._root) as channel:
        await health(channel, NOT_SERVING)
        stub: Any = health_pb2_grpc.HealthStub(channel)
        lives = await stub.Check(health_pb2.HealthCheckRequest())
        call = partial(WarehouseServiceStub(channel).GetWatermark, pb.GetWatermarkRequest(), timeout=PATIENCE)
        code, _, told = await refusal(call)
    assert lives.status == SERVING
    assert code == grpc.StatusCode.UNAVAILABLE
    assert "secret" not in told
