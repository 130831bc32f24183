"""Whatever is restarted during a run, it goes on at its first unfinished step and ends as if undisturbed."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.adapters.leadership import TRY_LOCK
from services.ingest.settings import IngestSettings
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.indexer_server import IndexerServer
from tests.integration.ingest.serving import Ingest, step_of
from tests.integration.ingest.source_server import SourceServer
from tests.integration.ingest.warehouse_server import WarehouseServer, warehouse_server

HOLDER = """
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""


async def test_a_run_goes_on_at_its_first_unfinished_step_with_the_next_process(
    serve: Serve, source: SourceServer, indexer: IndexerServer
) -> None:
    async with serve() as first:
        await first.load_companies()
        indexer.open.clear()
        run = await first.run(pb.PIPELINE_RECOMMENDATIONS)
        await first.working_on(run.run_id, "create_payments_index")
    asked = len(source.requests)
    indexer.open.set()

    async with serve() as second:
        ended = await second.end_of(run.run_id)

    assert (ended.state, ended.attempts) == (pb.RUN_STATE_SUCCEEDED, 2)
    assert len(source.requests) == asked, "what was read is not read again"
    assert indexer.builds == [run.run_id] * 2
    assert ended.account.new == 20


async def test_a_run_interrupted_while_it_reads_reads_again_and_loses_nothing(
    serve: Serve, source: SourceServer, warehouse: WarehouseServer
) -> None:
    async with serve() as first:
        source.open.clear()
        run = await first.run(pb.PIPELINE_COMPANIES)
        await first.working_on(run.run_id, "save_companies")
    source.open.set()

    async with serve() as second:
        ended = await second.end_of(run.run_id)

    assert (ended.state, ended.account.new) == (pb.RUN_STATE_SUCCEEDED, 5)
    assert (await warehouse.statistics()).current_companies == 5


async def test_an_interrupted_run_stays_running_until_somebody_takes_it(
    serve: Serve, source: SourceServer, engine: AsyncEngine
) -> None:
    async with serve() as first:
        source.open.clear()
        run = await first.run(pb.PIPELINE_COMPANIES)
        await first.working_on(run.run_id, "save_companies")

    async with engine.connect() as connection:
        state = await connection.scalar(text("SELECT state FROM ingest.runs"))

    assert state == "running"


async def test_a_second_replica_serves_and_takes_over_when_the_leader_goes(serve: Serve, source: SourceServer) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serve())
        source.open.clear()
        run = await first.run(pb.PIPELINE_COMPANIES)
        await first.working_on(run.run_id, "save_companies")
        async with serve() as second:
            assert (await second.get(run.run_id)).attempts == 1
            await stack.aclose()
            source.open.set()

            ended = await second.end_of(run.run_id)

    assert (ended.state, ended.attempts) == (pb.RUN_STATE_SUCCEEDED, 2)


async def test_a_run_that_a_replica_without_the_leadership_accepts_is_done_by_the_leader(serve: Serve) -> None:
    async with serve() as leader, serve() as other:
        await leader.load_companies()

        ended = await other.recommendations()

    assert (ended.state, ended.attempts) == (pb.RUN_STATE_SUCCEEDED, 1)


async def test_a_leader_whose_lock_is_gone_stops_and_takes_the_run_up_again(
    ingest: Ingest, source: SourceServer, engine: AsyncEngine
) -> None:
    source.open.clear()
    run = await ingest.run(pb.PIPELINE_COMPANIES)
    await ingest.working_on(run.run_id, "save_companies")

    async with engine.connect() as connection:
        holder = await connection.scalar(text(HOLDER))
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": holder})
    await ingest.seen(run.run_id, lambda found: found.attempts == 2)
    source.open.set()

    ended = await ingest.end_of(run.run_id)
    assert (ended.state, ended.attempts) == (pb.RUN_STATE_SUCCEEDED, 2)


async def test_one_replica_leads_at_a_time(ingest: Ingest, engine: AsyncEngine) -> None:
    await ingest.load_companies()

    async with engine.connect() as connection:
        assert await connection.scalar(TRY_LOCK) is False


async def test_a_run_outlives_a_restart_of_the_indexer(ingest: Ingest, indexer: IndexerServer) -> None:
    await ingest.load_companies()
    indexer.away = 2

    run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert indexer.builds == [run.run_id] * 3


async def test_a_run_outlives_a_restart_of_the_warehouse(
    serve: Serve, settings: IngestSettings, url: str, object_store: LocalObjectStore, source: SourceServer
) -> None:
    async with AsyncExitStack() as stack:
        warehouse = await stack.enter_async_context(warehouse_server(url, object_store))
        port = int(warehouse.address.rpartition(":")[2])
        async with serve(warehouse_address=warehouse.address) as ingest:
            source.open.clear()
            run = await ingest.run(pb.PIPELINE_COMPANIES)
            await ingest.working_on(run.run_id, "save_companies")
            await stack.aclose()
            source.open.set()
            await ingest.seen(run.run_id, lambda found: step_of(found, "save_companies").detail == "loading")

            async with warehouse_server(url, object_store, port):
                ended = await ingest.end_of(run.run_id)

    assert (ended.state, ended.account.new) == (pb.RUN_STATE_SUCCEEDED, 5)


async def test_a_warehouse_that_stays_away_fails_the_run_and_says_so(serve: Serve) -> None:
    async with serve(warehouse_address="127.0.0.1:1", patience=timedelta(seconds=0.5)) as ingest:
        run = await ingest.run(pb.PIPELINE_RECOMMENDATIONS)

        ended = await ingest.end_of(run.run_id)

    assert ended.state == pb.RUN_STATE_FAILED
    assert ended.error.startswith("the warehouse was away for 0:00:00.500000")
    assert step_of(ended, "verify_bucket").state == pb.STEP_STATE_FAILED


@pytest.mark.parametrize("state", ["queued", "running"])
async def test_a_cancelled_run_that_nobody_works_on_is_cancelled_by_the_next_leader(
    serve: Serve, source: SourceServer, engine: AsyncEngine, state: str
) -> None:
    async with serve() as first:
        source.open.clear()
        run = await first.run(pb.PIPELINE_COMPANIES)
        await first.working_on(run.run_id, "save_companies")
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE ingest.runs SET state = '{state}', cancel_requested = true"))

    async with serve() as second:
        ended = await second.end_of(run.run_id)

    assert ended.state == pb.RUN_STATE_CANCELLED
