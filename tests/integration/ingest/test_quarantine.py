"""One bad row never stops good ones; too many stop the run before anything is loaded; all can be listed."""

import json

import grpc

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.lake import LakeManifest, manifest_attempt, manifest_key
from services.ingest.settings import IngestSettings
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, refusal, step_of
from tests.integration.ingest.source_server import SourceServer, body, payment
from tests.integration.ingest.warehouse_server import WarehouseServer


async def test_a_bad_row_is_listed_with_its_reason_and_the_rest_is_loaded(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    source.payments.append(payment(70, amount="much"))

    run = await ingest.recommendations()

    (row,) = (await ingest.quarantined(run.run_id)).rows
    assert row.reason == "amount is not a number"
    assert json.loads(row.raw) == payment(70, amount="much")
    assert (await warehouse.statistics()).current_payments == 20


async def test_what_a_former_leader_stores_late_is_not_looked_at(
    ingest: Ingest, source: SourceServer, object_store: LocalObjectStore
) -> None:
    await ingest.load_companies()
    source.payments.append(payment(70, amount="much"))
    run = await ingest.recommendations()
    (key,) = [info.key for info in object_store.list("raw/payments/") if manifest_attempt(info.key)]

    late = LakeManifest.from_bytes(object_store.get(key)).model_copy(update={"quarantine": ()})
    for attempt in (0, 99):
        assert object_store.put_if_absent(manifest_key(key.rpartition("/")[0], attempt), late.to_bytes())

    assert len((await ingest.quarantined(run.run_id)).rows) == 1


async def test_values_that_are_no_json_spoil_their_row_alone(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    good, bad = json.dumps(payment(1)), json.dumps(payment(2)).replace("12", "NaN", 1)
    page = body(f"[{good}, {json.dumps(payment(3, amount=float('inf')))}, {bad}, 7, null]")
    source.payments, source.misdeeds = [], [page] * 3

    run = await ingest.recommendations()

    assert (run.account.read, run.account.new, run.account.quarantined) == (5, 1, 4)


async def test_too_many_bad_rows_stop_the_run_before_anything_is_loaded(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    source.payments += [payment(number, amount="much") for number in range(100, 120)]
    source.payments += [payment(number, status="") for number in range(120, 125)]

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_FAILED
    assert run.error.startswith("25 of 45 rows (55.6%) were refused, most often (20) because amount is not a number")
    assert f"ListQuarantinedRows run_id={run.run_id}" in run.error
    assert (await warehouse.statistics()).current_payments == 0
    assert not (await warehouse.watermark()).HasField("payments")
    assert len((await ingest.quarantined(run.run_id)).rows) == 25


async def test_a_run_that_bad_rows_stop_leaves_warehouse_and_watermark_as_they_were(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    before = await warehouse.watermark(), await warehouse.statistics()
    source.payments += [payment(number, amount="much") for number in range(100, 125)]
    source.payments.append(payment(99))

    run = await ingest.recommendations()

    assert (run.state, run.HasField("account")) == (pb.RUN_STATE_FAILED, False)
    assert await ingest.reasons(run.run_id) == {"amount is not a number": 25}
    assert (await warehouse.watermark(), await warehouse.statistics()) == before


async def test_a_run_stopped_by_bad_rows_can_be_retried_with_more_patience(
    serve: Serve, settings: IngestSettings, source: SourceServer
) -> None:
    async with serve() as ingest:
        await ingest.load_companies()
        source.payments += [payment(number, amount="much") for number in range(100, 125)]
        failed = await ingest.recommendations()
    asked = len(source.requests)

    async with serve(max_quarantine_share=1.0) as ingest:
        await ingest.retry(failed.run_id)
        run = await ingest.end_of(failed.run_id)

    assert (run.state, run.account.new, run.account.quarantined) == (pb.RUN_STATE_SUCCEEDED, 20, 25)
    assert len(source.requests) == asked, "what was read is not read again"
    assert "earlier attempt" not in step_of(run, "save_payments_to_bucket").error


async def test_a_few_bad_rows_of_few_are_no_reason_to_stop(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.payments = [payment(number, amount="much") for number in range(19)]

    run = await ingest.recommendations()

    assert (run.state, run.account.quarantined) == (pb.RUN_STATE_SUCCEEDED, 19)


async def test_quarantined_rows_are_listed_page_by_page(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.payments = [payment(number, amount=f"{number} pounds") for number in range(7)]
    run = await ingest.recommendations()

    first = await ingest.quarantined(run.run_id, size=4)
    second = await ingest.quarantined(run.run_id, size=4, token=first.next_page_token)

    amounts = [json.loads(row.raw)["amount"] for row in (*first.rows, *second.rows)]
    assert amounts == [f"{number} pounds" for number in range(7)]
    assert second.next_page_token == ""


async def test_a_run_that_has_not_read_anything_has_an_empty_quarantine(ingest: Ingest, source: SourceServer) -> None:
    source.open.clear()
    run = await ingest.run(pb.PIPELINE_COMPANIES)

    assert list((await ingest.quarantined(run.run_id)).rows) == []


async def test_a_wrong_page_token_is_refused_by_field(ingest: Ingest) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)

    refused = await refusal(ingest.quarantined(run.run_id, token="second"))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "page_token")
