"""Both pipelines and the backfill, from the source to the index, over real HTTP, objects, gRPC and PostgreSQL."""

from datetime import UTC, datetime, timedelta

import grpc

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.receipt import Receipt, receipt_place
from services.runtime.checksums import sha256_of
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.indexer_server import IndexerServer
from tests.integration.ingest.serving import Ingest, refusal, step_of
from tests.integration.ingest.source_server import NOW, SourceServer, payment, status
from tests.integration.ingest.warehouse_server import WarehouseServer

RECOMMENDATION_STEPS = [
    "verify_bucket",
    "verify_companies",
    "get_last_payments_update",
    "save_payments_to_bucket",
    "save_payments_to_db",
    "update_last_payments_update",
    "create_payments_index",
    "validate_payments_index",
]


def receipts_of(store: LocalObjectStore) -> dict[str, Receipt]:
    """All receipts of the lake, by key."""
    return {info.key: Receipt.from_bytes(store.get(info.key)) for info in store.list("raw/") if receipt_place(info.key)}


def accounted(account: pb.Account) -> int:
    """Rows of which the account knows what became."""
    return account.new + account.changed + account.unchanged + account.late + account.quarantined


def newest(source: SourceServer) -> datetime:
    """The newest `updated_at` of the source's payments."""
    return max(datetime.fromisoformat(row["updated_at"]) for row in source.payments)


def day_before(days: int) -> str:
    """The day so many days before the source's today."""
    return (NOW - timedelta(days=days)).date().isoformat()


async def test_companies_loads_the_catalogue_and_accounts_for_it(ingest: Ingest, warehouse: WarehouseServer) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert [step.name for step in run.steps] == ["save_companies", "update_last_companies_update"]
    assert (run.account.read, run.account.new) == (5, 5)
    assert (await warehouse.statistics()).current_companies == 5
    assert (await warehouse.watermark()).companies.ToDatetime(UTC) == NOW


async def test_recommendations_takes_payments_all_the_way_to_a_published_index(
    ingest: Ingest, warehouse: WarehouseServer, indexer: IndexerServer, source: SourceServer
) -> None:
    await ingest.load_companies()

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert [step.name for step in run.steps] == RECOMMENDATION_STEPS
    assert all(step.state == pb.STEP_STATE_SUCCEEDED for step in run.steps)
    assert (run.account.read, run.account.new, accounted(run.account)) == (20, 20, 20)
    assert (await warehouse.statistics()).current_payments == 20
    assert (await warehouse.watermark()).payments.ToDatetime(UTC) == newest(source)
    assert (indexer.builds, indexer.validations) == ([run.run_id], [f"v-{run.run_id}"])
    assert step_of(run, "validate_payments_index").counts["epoch"] == 1


async def test_a_second_pass_reads_the_overlap_again_and_changes_nothing(
    ingest: Ingest, warehouse: WarehouseServer, source: SourceServer
) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    before = await warehouse.statistics()

    run = await ingest.recommendations()

    assert (run.account.read, run.account.unchanged) == (20, 20)
    assert await warehouse.statistics() == before
    since = (newest(source) - timedelta(hours=48)).date() - timedelta(days=1)
    assert {"path": "/payments", "updated_at": since.isoformat(), "limit": "5000", "offset": "0"} in source.requests


async def test_every_row_is_accounted_for_whatever_became_of_it(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    later, earlier = NOW - timedelta(hours=1), NOW - timedelta(days=3)
    source.payments += [
        payment(1, status="refunded", updated_at=later.isoformat()),
        payment(2, status="pending", updated_at=earlier.isoformat()),
        payment(100),
        payment(101, amount="much"),
    ]

    run = await ingest.recommendations()

    account = run.account
    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert (account.read, account.new, account.changed, account.late) == (24, 1, 1, 1)
    assert (account.unchanged, account.quarantined, accounted(account)) == (20, 1, 24)


async def test_a_source_without_payments_leaves_the_watermark_unset(
    ingest: Ingest, warehouse: WarehouseServer, source: SourceServer
) -> None:
    source.payments = []
    await ingest.load_companies()

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert (run.account.read, (await warehouse.watermark()).HasField("payments")) == (0, False)


async def test_a_row_dated_beyond_the_sources_clock_does_not_move_the_watermark(
    ingest: Ingest, warehouse: WarehouseServer, source: SourceServer
) -> None:
    await ingest.load_companies()
    before = newest(source)
    source.payments.append(payment(50, updated_at=(NOW + timedelta(days=400)).isoformat()))

    run = await ingest.recommendations()

    assert (run.state, run.account.quarantined) == (pb.RUN_STATE_SUCCEEDED, 1)
    assert (await warehouse.watermark()).payments.ToDatetime(UTC) == before


async def test_a_watermark_beyond_the_sources_clock_is_refused(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    source.now = NOW - timedelta(days=2)

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_FAILED
    assert "lies beyond the source's clock" in run.error


async def test_recommendations_before_companies_names_what_to_run(ingest: Ingest) -> None:
    refused = await refusal(ingest.run(pb.PIPELINE_RECOMMENDATIONS))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "COMPANIES_NEVER_LOADED")
    assert "run the pipeline companies first" in refused.message


async def test_a_source_that_fails_fails_the_run_and_changes_nothing(
    ingest: Ingest, warehouse: WarehouseServer, source: SourceServer
) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    before, mark = await warehouse.statistics(), await warehouse.watermark()
    source.payments.append(payment(60))
    source.misdeeds = [status(404)]

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_FAILED
    assert run.error == "the source answered 404 to /payments; check INGEST_SOURCE_URL and the source"
    assert step_of(run, "save_payments_to_bucket").state == pb.STEP_STATE_FAILED
    assert step_of(run, "save_payments_to_db").state == pb.STEP_STATE_PENDING
    assert (await warehouse.statistics(), await warehouse.watermark()) == (before, mark)


async def test_an_empty_catalogue_fails_the_run_and_changes_nothing(
    ingest: Ingest, warehouse: WarehouseServer, source: SourceServer
) -> None:
    await ingest.load_companies()
    source.companies = []

    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)

    assert run.state == pb.RUN_STATE_FAILED
    assert run.error.startswith("the warehouse answered FAILED_PRECONDITION: ")
    assert (await warehouse.statistics()).current_companies == 5


async def test_each_load_leaves_a_receipt_beside_the_manifest_that_counts(
    ingest: Ingest, object_store: LocalObjectStore
) -> None:
    await ingest.load_companies()
    run = await ingest.recommendations()
    backfill = await ingest.end_of((await ingest.backfill(day_before(9), day_before(1))).run_id)

    receipts = receipts_of(object_store)
    in_order = sorted(receipts.values(), key=lambda receipt: receipt.update_sequence or receipt.sequence)
    loaded, updated, payments, again = in_order

    assert (loaded.dataset, loaded.sequence, loaded.update_sequence) == ("companies", 1, None)
    assert updated == loaded.model_copy(update={"update_sequence": 2})
    assert (payments.load_id, payments.sequence, payments.new) == (run.run_id, 3, 20)
    assert payments.watermark == again.watermark == (await ingest.watermark()).payments.ToDatetime(UTC)
    assert (again.load_id, again.sequence) == (backfill.run_id, 4)
    for key, receipt in receipts.items():
        manifest = object_store.get(receipt.manifest_key)
        assert key.rpartition("/")[0] == receipt.manifest_key.rpartition("/")[0]
        assert sha256_of(manifest) == receipt.manifest_sha256


async def test_a_backfill_takes_its_days_alone_and_leaves_the_watermark(
    ingest: Ingest, warehouse: WarehouseServer, source: SourceServer
) -> None:
    await ingest.load_companies()
    source.payments = [payment(days, updated_at=(NOW - timedelta(days=days)).isoformat()) for days in range(20, 27)]

    run = await ingest.end_of((await ingest.backfill(day_before(24), day_before(22))).run_id)

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert (run.account.read, run.account.new) == (3, 3)
    assert step_of(run, "save_payments_to_bucket").counts["out_of_range"] == 3
    assert source.requests[-1]["updated_at"] == day_before(25)
    assert not (await warehouse.watermark()).HasField("payments")


async def test_a_backfill_runs_beside_recommendations(ingest: Ingest, indexer: IndexerServer) -> None:
    await ingest.load_companies()
    indexer.open.clear()
    daily = await ingest.run(pb.PIPELINE_RECOMMENDATIONS)
    await ingest.working_on(daily.run_id, "create_payments_index")

    backfill = await ingest.end_of((await ingest.backfill(day_before(9), day_before(1))).run_id)

    assert backfill.state == pb.RUN_STATE_SUCCEEDED, backfill.error
    assert (await ingest.get(daily.run_id)).state == pb.RUN_STATE_RUNNING
    indexer.open.set()
    assert (await ingest.end_of(daily.run_id)).state == pb.RUN_STATE_SUCCEEDED


async def test_the_watermark_tells_where_the_next_pass_begins(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    await ingest.recommendations()

    told = await ingest.watermark()

    assert told.payments.ToDatetime(UTC) == newest(source)
    assert told.next_since == ((newest(source) - timedelta(hours=48)).date() - timedelta(days=1)).isoformat()
    assert told.overlap.ToTimedelta() == timedelta(hours=48)


async def test_many_pages_are_read_whole_though_the_source_caps_them(serve: Serve, source: SourceServer) -> None:
    source.payments, source.max_limit = [payment(number) for number in range(500)], 60
    async with serve() as ingest:
        await ingest.load_companies()

        run = await ingest.recommendations()

    assert (run.state, run.account.new) == (pb.RUN_STATE_SUCCEEDED, 500)
    assert step_of(run, "save_payments_to_bucket").counts["pages"] > 9


async def test_no_error_of_a_run_names_a_client(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.payments = [payment(number, amount="much") for number in range(30)]

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_FAILED
    assert "client-" not in str(run)
