"""A run that is cancelled around its load: what was committed stands in its account, to the last row."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.indexer_server import IndexerServer
from tests.integration.ingest.serving import Ingest, step_of
from tests.integration.ingest.source_server import NOW
from tests.integration.ingest.warehouse_server import WarehouseServer, loads_waiting

# As a crash leaves it between the commit of the load and the end of its step.
JUST_COMMITTED = """
    UPDATE ingest.steps SET state = CASE position WHEN :position THEN 'running' ELSE 'pending' END
    WHERE position >= :position;
"""
WITHOUT_ACCOUNT = "UPDATE ingest.runs SET counts = '{}', cancel_requested = true WHERE state = 'running'"


async def test_a_load_under_way_is_finished_and_counted_before_the_run_is_cancelled(
    ingest: Ingest, engine: AsyncEngine, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    async with loads_waiting(engine):
        run = await ingest.run(pb.PIPELINE_RECOMMENDATIONS)
        await ingest.seen(run.run_id, lambda found: step_of(found, "save_payments_to_db").detail == "loading")
        await ingest.cancel(run.run_id)

    ended = await ingest.end_of(run.run_id)

    assert ended.state == pb.RUN_STATE_CANCELLED
    assert (ended.account.read, ended.account.new) == (20, 20)
    assert step_of(ended, "save_payments_to_db").state == pb.STEP_STATE_SUCCEEDED
    assert step_of(ended, "create_payments_index").state == pb.STEP_STATE_PENDING
    assert (await warehouse.statistics()).current_payments == 20


async def test_a_catalogue_under_way_is_finished_and_counted_too(ingest: Ingest, engine: AsyncEngine) -> None:
    # A leader announces itself to the warehouse, behind the load that is under way: not this one.
    await ingest.load_companies()
    async with loads_waiting(engine):
        run = await ingest.run(pb.PIPELINE_COMPANIES)
        await ingest.seen(run.run_id, lambda found: step_of(found, "save_companies").detail == "loading")
        await ingest.cancel(run.run_id)

    ended = await ingest.end_of(run.run_id)

    assert (ended.state, ended.account.unchanged) == (pb.RUN_STATE_CANCELLED, 5)


async def test_a_backfill_that_was_loaded_before_its_cancellation_counted_has_succeeded(
    ingest: Ingest, engine: AsyncEngine
) -> None:
    await ingest.load_companies()
    async with loads_waiting(engine):
        run = await ingest.backfill("2026-01-01", NOW.date().isoformat())
        await ingest.seen(run.run_id, lambda found: step_of(found, "save_payments_to_db").detail == "loading")
        await ingest.cancel(run.run_id)

    ended = await ingest.end_of(run.run_id)

    assert (ended.state, ended.account.read) == (pb.RUN_STATE_SUCCEEDED, 20)


@pytest.mark.parametrize("is_loaded", [True, False], ids=["committed", "never sent"])
async def test_a_cancelled_run_whose_process_died_in_its_load_has_the_account_that_the_ledger_has(
    serve: Serve, indexer: IndexerServer, engine: AsyncEngine, is_loaded: bool
) -> None:
    async with serve() as first:
        await first.load_companies()
        indexer.open.clear()
        run = await first.run(pb.PIPELINE_RECOMMENDATIONS)
        await first.working_on(run.run_id, "create_payments_index")
    async with engine.begin() as connection:
        await connection.execute(text(JUST_COMMITTED), {"position": 4})
        await connection.execute(text(WITHOUT_ACCOUNT))
        if not is_loaded:
            await connection.execute(text("DELETE FROM warehouse.watermarks WHERE dataset = 'payments'"))
            await connection.execute(text("DELETE FROM warehouse.loads WHERE dataset = 'payments'"))

    async with serve() as second:
        ended = await second.end_of(run.run_id)

    assert ended.state == pb.RUN_STATE_CANCELLED
    assert ended.account.new == (20 if is_loaded else 0)
    assert ended.HasField("account") == is_loaded
    assert step_of(ended, "create_payments_index").state == pb.STEP_STATE_PENDING
