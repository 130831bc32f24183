"""A full pass over the source heals what the overlap could not see, and tells what the source shows no more."""

from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, eventually, refusal, step_of
from tests.integration.ingest.source_server import NOW, SourceServer, payment
from tests.integration.ingest.warehouse_server import WarehouseServer, loads_waiting

STEPS = [
    "verify_bucket",
    "verify_companies",
    "get_first_payments_update",
    "save_payments_to_bucket",
    "save_payments_to_db",
    "report_missing_payments",
]
OLD = (NOW - timedelta(days=20)).isoformat()


async def reconciled(ingest: Ingest) -> pb.Run:
    """A run of reconcile, ended well."""
    run = await ingest.run_to_end(pb.PIPELINE_RECONCILE)
    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    return run


def is_loading(run: pb.Run) -> bool:
    """Whether the run's load is under way."""
    return step_of(run, "save_payments_to_db").detail == "loading"


def counts(run: pb.Run) -> tuple[int, int]:
    """Rows healed, and payments that are missing at the source."""
    return step_of(run, "save_payments_to_db").counts["healed"], step_of(run, STEPS[-1]).counts["missing"]


async def test_a_source_without_surprises_has_nothing_to_heal_or_to_report(
    ingest: Ingest, source: SourceServer
) -> None:
    await ingest.load_companies()
    await ingest.recommendations()

    run = await reconciled(ingest)

    assert [step.name for step in run.steps] == STEPS
    assert (run.account.read, run.account.unchanged, counts(run)) == (20, 20, (0, 0))
    assert step_of(run, STEPS[-1]).detail == "0 of 20 payments are not in the source any more"


async def test_rows_made_visible_later_than_the_overlap_are_healed_and_placed_inside_history(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    source.payments[0] |= {"updated_at": OLD}
    await ingest.recommendations()
    hidden = payment(1, status="pending", updated_at=OLD)
    source.payments += [hidden, payment(50, updated_at=OLD)]
    before = await warehouse.watermark()
    assert (await ingest.recommendations()).account.read == 19

    run = await reconciled(ingest)

    assert (run.account.late, run.account.new, counts(run)) == (1, 1, (2, 0))
    assert [version.status for version in await warehouse.history("p00001", "c1")] == ["pending", "paid"]
    assert await warehouse.watermark() == before


async def test_payments_deleted_at_the_source_are_reported_by_key_and_not_deleted(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    del source.payments[3:6]

    run = await reconciled(ingest)

    report = await warehouse.missing(run.run_id)
    assert (counts(run), report.report.compared, report.report.missing) == ((0, 3), 20, 3)
    assert [(row.payment_id, row.company_code) for row in report.payments] == [
        ("p00003", "c3"),
        ("p00004", "c4"),
        ("p00005", "c0"),
    ]
    assert f"ListMissingPayments load_id={run.run_id}" in step_of(run, STEPS[-1]).detail
    assert "client-" not in str(report) + str(run)
    assert (await warehouse.statistics()).current_payments == 20


async def test_a_payment_whose_row_is_bad_today_is_not_reported(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    source.payments[7] |= {"amount": "much"}
    del source.payments[8]

    run = await reconciled(ingest)

    assert run.account.quarantined == 1
    assert [row.payment_id for row in (await warehouse.missing(run.run_id)).payments] == ["p00008"]


async def test_a_payment_learned_of_beside_the_pass_is_not_reported(
    ingest: Ingest, source: SourceServer, engine: AsyncEngine, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    await ingest.recommendations()
    shown, source.payments = source.payments[1:], [payment(60)]
    async with loads_waiting(engine):
        backfill = await ingest.backfill("2026-01-01", NOW.date().isoformat())
        await ingest.seen(backfill.run_id, is_loading)
        source.payments = shown
        run = await ingest.run(pb.PIPELINE_RECONCILE)
        await ingest.seen(run.run_id, is_loading)

    ended = await ingest.end_of(run.run_id)

    assert (await ingest.get(backfill.run_id)).account.new == 1
    assert step_of(ended, STEPS[-1]).counts["compared"] == 21
    assert [row.payment_id for row in (await warehouse.missing(run.run_id)).payments] == ["p00000"]


async def test_the_pass_reaches_back_to_the_oldest_payment_and_the_first_day(
    serve: Serve, source: SourceServer
) -> None:
    oldest = datetime.fromisoformat(source.payments[0]["updated_at"]).date()
    for first_day, first in ((None, oldest), (date(2024, 5, 1), date(2024, 5, 1))):
        async with serve(first_day=first_day) as ingest:
            await ingest.load_companies()
            await ingest.recommendations()
            await reconciled(ingest)
        assert source.requests[-1]["updated_at"] == (first - timedelta(days=1)).isoformat()


async def test_payments_older_than_any_that_was_asked_for_are_left_aside(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.payments = source.payments[:5]
    await ingest.recommendations()
    before = datetime.fromisoformat(source.payments[0]["updated_at"]) - timedelta(days=1)
    source.payments.append(payment(70, updated_at=before.isoformat()))

    for _ in range(2):
        run = await reconciled(ingest)
        assert (run.account.read, counts(run)) == (5, (0, 0))
        assert step_of(run, "save_payments_to_bucket").counts["out_of_range"] == 1


async def test_reconcile_runs_before_any_payment_was_loaded(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()

    run = await reconciled(ingest)

    assert (run.account.new, counts(run)) == (20, (20, 0))
    assert not (await ingest.watermark()).HasField("payments")


async def test_an_interrupted_reconcile_goes_on_and_reports_once(
    serve: Serve, source: SourceServer, engine: AsyncEngine, warehouse: WarehouseServer
) -> None:
    async with AsyncExitStack() as stack, serve() as first:
        await first.load_companies()
        await first.recommendations()
        del source.payments[0]
        await stack.enter_async_context(loads_waiting(engine))
        run = await first.run(pb.PIPELINE_RECONCILE)
        await first.seen(run.run_id, is_loading)

    async with serve() as second:
        ended = await second.end_of(run.run_id)

    assert (ended.state, ended.attempts, counts(ended)) == (pb.RUN_STATE_SUCCEEDED, 2, (0, 1))
    assert (await warehouse.missing(run.run_id)).report.missing == 1


async def test_reconcile_has_a_schedule_when_it_is_set_and_none_when_it_is_not(serve: Serve) -> None:
    async with serve(reconcile_schedule="0 5 * * 6") as ingest:
        schedules = await eventually(ingest.schedules, lambda found: pb.PIPELINE_RECONCILE in found)
        assert schedules[pb.PIPELINE_RECONCILE].cron == "0 5 * * 6"

    async with serve() as ingest:
        await eventually(
            ingest.schedules, lambda found: set(found) == {pb.PIPELINE_COMPANIES, pb.PIPELINE_RECOMMENDATIONS}
        )
        request = pb.PauseScheduleRequest(pipeline=pb.PIPELINE_RECONCILE)
        told = await refusal(ingest.stub.PauseSchedule(request, timeout=20))

    assert "INGEST_RECONCILE_SCHEDULE" in told.message
