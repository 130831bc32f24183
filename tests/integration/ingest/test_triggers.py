"""Triggers can be repeated, and one run of a pipeline is active at a time, whoever asks and however often at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from services.runtime.clock import utc_now
from tests.integration.ingest.serving import Ingest, refusal, step_of
from tests.integration.ingest.source_server import SourceServer, status

COMPANIES = pb.PIPELINE_COMPANIES


@pytest.fixture
async def busy(ingest: Ingest, source: SourceServer) -> AsyncIterator[pb.Run]:
    """A run of companies that waits for the source."""
    source.open.clear()
    run = await ingest.run(COMPANIES, "first")
    yield await ingest.working_on(run.run_id, "save_companies")
    source.open.set()


async def test_a_trigger_returns_the_run_at_once(ingest: Ingest, source: SourceServer) -> None:
    source.open.clear()

    run = await ingest.run(COMPANIES)

    assert run.state in (pb.RUN_STATE_QUEUED, pb.RUN_STATE_RUNNING)
    assert (run.pipeline, run.trigger) == (COMPANIES, pb.TRIGGER_MANUAL)
    assert run.code_version


async def test_the_same_request_id_gives_the_same_run(ingest: Ingest, busy: pb.Run) -> None:
    assert (await ingest.run(COMPANIES, "first")).run_id == busy.run_id


async def test_the_same_request_id_gives_the_same_run_after_its_end(ingest: Ingest) -> None:
    first = await ingest.run(COMPANIES, "once")
    await ingest.end_of(first.run_id)

    again = await ingest.run(COMPANIES, "once")

    assert (again.run_id, again.state) == (first.run_id, pb.RUN_STATE_SUCCEEDED)


async def test_the_same_request_id_for_other_days_is_refused_and_told_which_run_has_it(ingest: Ingest) -> None:
    await ingest.load_companies()
    first = await ingest.backfill("2026-02-01", "2026-02-02", "spring")

    again = await ingest.backfill("2026-02-01", "2026-02-02", "spring")
    refused = await refusal(ingest.backfill("2026-02-03", "2026-02-04", "spring"))

    assert again.run_id == first.run_id
    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "request_id")
    assert first.run_id in refused.message


async def test_a_second_run_is_refused_while_one_is_active_and_told_which(ingest: Ingest, busy: pb.Run) -> None:
    refused = await refusal(ingest.run(COMPANIES, "second"))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RUN_ACTIVE")
    assert refused.metadata["run_id"] == busy.run_id
    assert busy.run_id in refused.message


async def test_of_ten_triggers_at_once_one_makes_a_run(ingest: Ingest, source: SourceServer) -> None:
    source.open.clear()

    answers = await asyncio.gather(*(ingest.run(COMPANIES) for _ in range(10)), return_exceptions=True)

    runs = [answer for answer in answers if isinstance(answer, pb.Run)]
    codes = {error.code() for error in answers if isinstance(error, grpc.aio.AioRpcError)}
    assert (len(runs), codes) == (1, {grpc.StatusCode.FAILED_PRECONDITION})
    assert len((await ingest.list()).runs) == 1


async def test_ten_times_the_same_request_at_once_is_one_run(ingest: Ingest, source: SourceServer) -> None:
    source.open.clear()

    runs = await asyncio.gather(*(ingest.run(COMPANIES, "same") for _ in range(10)))

    assert len({run.run_id for run in runs}) == 1


async def test_a_run_at_work_is_cancelled(ingest: Ingest, busy: pb.Run) -> None:
    await ingest.cancel(busy.run_id)

    run = await ingest.end_of(busy.run_id)
    assert run.state == pb.RUN_STATE_CANCELLED
    assert step_of(run, "save_companies").state == pb.STEP_STATE_CANCELLED
    assert step_of(run, "update_last_companies_update").state == pb.STEP_STATE_PENDING


async def test_cancelling_twice_is_no_error(ingest: Ingest, busy: pb.Run) -> None:
    await ingest.cancel(busy.run_id)
    await ingest.end_of(busy.run_id)

    assert (await ingest.cancel(busy.run_id)).state == pb.RUN_STATE_CANCELLED


async def test_a_run_that_has_succeeded_can_be_neither_cancelled_nor_retried(ingest: Ingest) -> None:
    run = await ingest.run_to_end(COMPANIES)

    cancel, retry = await refusal(ingest.cancel(run.run_id)), await refusal(ingest.retry(run.run_id))

    assert (cancel.code, retry.code) == (grpc.StatusCode.FAILED_PRECONDITION,) * 2


async def test_a_failed_run_is_retried_and_succeeds(ingest: Ingest, source: SourceServer) -> None:
    source.misdeeds = [status(404)]
    failed = await ingest.run_to_end(COMPANIES)
    assert failed.state == pb.RUN_STATE_FAILED

    await ingest.retry(failed.run_id)

    run = await ingest.end_of(failed.run_id)
    assert (run.state, run.attempts, run.error) == (pb.RUN_STATE_SUCCEEDED, 2, "")


async def test_a_cancelled_run_is_retried_and_succeeds(ingest: Ingest, busy: pb.Run, source: SourceServer) -> None:
    await ingest.cancel(busy.run_id)
    await ingest.end_of(busy.run_id)
    source.open.set()

    await ingest.retry(busy.run_id)

    assert (await ingest.end_of(busy.run_id)).state == pb.RUN_STATE_SUCCEEDED


async def test_a_failed_run_is_not_retried_beside_an_active_one(ingest: Ingest, source: SourceServer) -> None:
    source.misdeeds = [status(404)]
    failed = await ingest.run_to_end(COMPANIES)
    source.open.clear()
    active = await ingest.run(COMPANIES)

    refused = await refusal(ingest.retry(failed.run_id))

    assert (refused.reason, refused.metadata["run_id"]) == ("RUN_ACTIVE", active.run_id)


@pytest.mark.parametrize("call", ["get", "cancel", "retry", "watch", "quarantined"])
async def test_a_run_that_nobody_made_is_not_found(ingest: Ingest, call: str) -> None:
    refused = await refusal(getattr(ingest, call)(str(uuid4())))

    assert (refused.code, "ListRuns" in refused.message) == (grpc.StatusCode.NOT_FOUND, True)


@pytest.mark.parametrize("call", ["get", "cancel", "retry", "watch", "quarantined"])
async def test_what_is_no_run_id_is_refused_by_field(ingest: Ingest, call: str) -> None:
    refused = await refusal(getattr(ingest, call)("the last one"))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "run_id")


@pytest.mark.parametrize("pipeline", [pb.PIPELINE_UNSPECIFIED, pb.PIPELINE_BACKFILL, pb.PIPELINE_REPLAY])
async def test_a_pipeline_that_has_to_be_told_what_it_is_about_is_not_run_by_name(
    ingest: Ingest, pipeline: "pb.Pipeline.ValueType"
) -> None:
    refused = await refusal(ingest.run(pipeline))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "pipeline")


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-02-30", "2026-03-01", "first_day"),
        ("2026-W09-1", "2026-03-01", "first_day"),
        ("0001-01-01", "0001-01-02", "first_day"),
        ("20260201", "2026-03-01", "first_day"),
        ("2026-02-01", "", "last_day"),
        ("2026-02-02", "2026-02-01", "last_day"),
        ("2026-02-02", (utc_now() + timedelta(days=2)).date().isoformat(), "last_day"),
        ("1999-01-01", "2026-02-01", "last_day"),
    ],
)
async def test_a_backfill_of_days_that_cannot_be_is_refused_by_field(
    ingest: Ingest, first: str, last: str, field: str
) -> None:
    refused = await refusal(ingest.backfill(first, last))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, field)
    assert refused.message.count(field) == 1


async def test_runs_are_listed_newest_first_page_by_page(ingest: Ingest) -> None:
    runs = [(await ingest.run_to_end(COMPANIES)).run_id for _ in range(3)]

    first = await ingest.list(size=2)
    second = await ingest.list(size=2, token=first.next_page_token)

    assert [run.run_id for run in (*first.runs, *second.runs)] == runs[::-1]
    assert second.next_page_token == ""


async def test_runs_are_listed_of_one_pipeline(ingest: Ingest) -> None:
    run = await ingest.run_to_end(COMPANIES)

    assert [one.run_id for one in (await ingest.list(pipeline=COMPANIES)).runs] == [run.run_id]
    assert list((await ingest.list(pipeline=pb.PIPELINE_BACKFILL)).runs) == []
