"""Refused rows are validated again: the good ones are loaded, the others stay, and nothing is lost or doubled."""

from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, refusal, step_of
from tests.integration.ingest.source_server import NOW, SourceServer, payment, status
from tests.integration.ingest.warehouse_server import WarehouseServer, loads_waiting

# The source's clock stands at noon of yesterday: rows of this morning are of its future, and past for us.
MORNING = (utc_now() - timedelta(minutes=5)).isoformat()
AHEAD = "updated_at is in the future of the source's clock"
STEPS = ["verify_bucket", "verify_companies", "replay_quarantine_to_bucket", "save_payments_to_db"]


@pytest.fixture
async def refused(ingest: Ingest, source: SourceServer) -> pb.Run:
    """A run of recommendations that refused three rows that are good by now, and two that are not."""
    await ingest.load_companies()
    source.payments += [payment(number, updated_at=MORNING) for number in range(30, 33)]
    source.payments += [payment(40, amount="much"), payment(41, status="")]
    run = await ingest.recommendations()
    assert (run.state, run.account.new, run.account.quarantined) == (pb.RUN_STATE_SUCCEEDED, 20, 5)
    return run


async def test_rows_that_are_good_by_now_are_loaded_and_the_others_stay_with_the_reason_of_today(
    ingest: Ingest, refused: pb.Run, warehouse: WarehouseServer
) -> None:
    before = await warehouse.watermark()

    run = await ingest.end_of((await ingest.replay(refused.run_id)).run_id)

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert [step.name for step in run.steps] == STEPS
    assert (run.account.read, run.account.new, run.account.quarantined) == (5, 3, 2)
    assert (await warehouse.statistics()).current_payments == 23
    assert await warehouse.watermark() == before
    assert await ingest.reasons(run.run_id) == {"amount is not a number": 1, "status is empty": 1}
    assert len((await ingest.quarantined(run.run_id)).rows) == 2


async def test_the_source_is_not_asked_for_a_replay(ingest: Ingest, refused: pb.Run, source: SourceServer) -> None:
    asked = len(source.requests)

    await ingest.end_of((await ingest.replay(refused.run_id)).run_id)

    assert len(source.requests) == asked


async def test_a_second_replay_changes_nothing(ingest: Ingest, refused: pb.Run, warehouse: WarehouseServer) -> None:
    await ingest.end_of((await ingest.replay(refused.run_id)).run_id)
    before = await warehouse.statistics()

    run = await ingest.end_of((await ingest.replay(refused.run_id)).run_id)

    assert (run.account.read, run.account.unchanged, run.account.quarantined) == (5, 3, 2)
    assert await warehouse.statistics() == before


async def test_the_same_request_gives_the_same_replay(ingest: Ingest, refused: pb.Run) -> None:
    first = await ingest.replay(refused.run_id, "once")
    await ingest.end_of(first.run_id)

    assert (await ingest.replay(refused.run_id, "once")).run_id == first.run_id


async def test_what_a_replay_refuses_can_be_replayed(ingest: Ingest, refused: pb.Run) -> None:
    first = await ingest.end_of((await ingest.replay(refused.run_id)).run_id)

    second = await ingest.end_of((await ingest.replay(first.run_id)).run_id)

    assert (second.account.read, second.account.quarantined) == (2, 2)


async def test_a_run_that_too_many_bad_rows_stopped_can_be_replayed_however_many_are_still_bad(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    source.payments = [payment(number, amount="much") for number in range(30)]
    source.payments += [payment(number, updated_at=MORNING) for number in range(30, 35)]
    stopped = await ingest.recommendations()
    assert (stopped.state, await ingest.reasons(stopped.run_id)) == (
        pb.RUN_STATE_FAILED,
        {"amount is not a number": 30, AHEAD: 5},
    )

    run = await ingest.end_of((await ingest.replay(stopped.run_id)).run_id)

    assert (run.state, run.account.new, run.account.quarantined) == (pb.RUN_STATE_SUCCEEDED, 5, 30)
    assert (await warehouse.statistics()).current_payments == 5


async def test_a_row_replayed_late_is_placed_inside_history(
    ingest: Ingest, refused: pb.Run, source: SourceServer, warehouse: WarehouseServer
) -> None:
    source.now = utc_now()
    source.payments[20] = payment(30, status="refunded", updated_at=(utc_now() - timedelta(seconds=5)).isoformat())
    await ingest.recommendations()

    run = await ingest.end_of((await ingest.replay(refused.run_id)).run_id)

    assert (run.account.late, run.account.unchanged) == (1, 2)
    assert [version.status for version in await warehouse.history("p00030", "c0")] == ["paid", "refunded"]


async def test_a_row_too_long_to_be_kept_whole_stays_and_says_why(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.payments.append(payment(40, status="x" * 100_000))
    run = await ingest.recommendations()

    replay = await ingest.end_of((await ingest.replay(run.run_id)).run_id)

    assert await ingest.reasons(replay.run_id) == {"the row was too long to be kept whole": 1}


async def test_amounts_stay_exact_to_the_cent(ingest: Ingest, source: SourceServer, warehouse: WarehouseServer) -> None:
    await ingest.load_companies()
    source.payments = [payment(1, amount=9007199254740993.01, updated_at=MORNING), payment(2, amount="1.005")]
    source.payments[1]["updated_at"] = MORNING
    run = await ingest.recommendations()

    await ingest.end_of((await ingest.replay(run.run_id)).run_id)

    assert [version.amount for version in await warehouse.history("p00002", "c2")] == ["1.01"]


async def test_a_replay_interrupted_in_its_load_is_counted_once(
    serve: Serve, source: SourceServer, engine: AsyncEngine, warehouse: WarehouseServer
) -> None:
    async with AsyncExitStack() as stack, serve() as first:
        await first.load_companies()
        source.payments.append(payment(30, updated_at=MORNING))
        daily = await first.recommendations()
        await stack.enter_async_context(loads_waiting(engine))
        replay = await first.replay(daily.run_id)
        await first.seen(replay.run_id, lambda found: step_of(found, "save_payments_to_db").detail == "loading")

    async with serve() as second:
        run = await second.end_of(replay.run_id)

    assert (run.state, run.attempts, run.account.read) == (pb.RUN_STATE_SUCCEEDED, 2, 1)
    assert (await warehouse.statistics()).current_payments == 21


async def test_refused_companies_are_not_replayed_and_it_says_what_to_do(ingest: Ingest) -> None:
    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)

    told = await refusal(ingest.replay(run.run_id))

    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_REPLAYABLE")
    assert "run the pipeline companies" in told.message


async def test_a_run_that_refused_nothing_is_not_replayed(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    clean = await ingest.recommendations()
    source.misdeeds = [status(404)]
    unread = await ingest.recommendations()

    told = [await refusal(ingest.replay(run.run_id)) for run in (clean, unread)]

    assert {one.reason for one in told} == {"NOT_REPLAYABLE"}
    assert "refused no rows" in told[0].message


async def test_a_run_at_work_is_not_replayed_before_its_end(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.open.clear()
    run = await ingest.backfill("2026-01-01", NOW.date().isoformat())

    told = await refusal(ingest.replay(run.run_id))

    assert (told.reason, told.metadata["run_id"]) == ("RUN_ACTIVE", run.run_id)


async def test_a_run_that_nobody_made_cannot_be_replayed(ingest: Ingest, engine: AsyncEngine) -> None:
    assert (await refusal(ingest.replay(str(uuid4())))).code is grpc.StatusCode.NOT_FOUND
    assert (await refusal(ingest.replay("the last one"))).field == "run_id"
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM ingest.runs")) == 0


async def test_a_replay_that_is_retried_after_its_rows_are_gone_says_what_to_do(
    ingest: Ingest, refused: pb.Run, engine: AsyncEngine, object_store: LocalObjectStore
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM warehouse.watermarks WHERE dataset = 'companies'"))
    replay = await ingest.end_of((await ingest.replay(refused.run_id)).run_id)
    assert replay.error == "companies were never loaded; run the pipeline companies first"
    for info in object_store.list("raw/payments/"):
        object_store.delete(info.key)
    await ingest.load_companies()

    await ingest.retry(replay.run_id)

    assert "start a new replay" in (await ingest.end_of(replay.run_id)).error
