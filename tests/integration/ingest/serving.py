"""ingest on a real socket, put together as its __main__ does, and a client that asks it what tests want to know."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from afin.ingest.v1 import ingest_pb2 as pb
from afin.ingest.v1 import ingest_pb2_grpc as rpc
from services.ingest.assembly import ingest
from services.ingest.settings import IngestSettings
from services.runtime.errors import DETAILS_TRAILER
from services.runtime.server import grpc_server

CALL_SECONDS = 20
ENDED = (pb.RUN_STATE_SUCCEEDED, pb.RUN_STATE_FAILED, pb.RUN_STATE_CANCELLED)


@dataclass(frozen=True)
class Ingest:
    """A client of a running ingest."""

    stub: "rpc.IngestServiceAsyncStub"
    address: str

    async def run(self, pipeline: "pb.Pipeline.ValueType", request_id: str = "") -> pb.Run:
        """A run of the pipeline, as the trigger returns it."""
        request = pb.RunPipelineRequest(pipeline=pipeline, request_id=request_id)
        return (await self.stub.RunPipeline(request, timeout=CALL_SECONDS)).run

    async def run_to_end(self, pipeline: "pb.Pipeline.ValueType") -> pb.Run:
        """A run of the pipeline, ended."""
        return await self.end_of((await self.run(pipeline)).run_id)

    async def load_companies(self) -> None:
        """A successful run of companies."""
        run = await self.run_to_end(pb.PIPELINE_COMPANIES)
        assert run.state == pb.RUN_STATE_SUCCEEDED, run

    async def recommendations(self) -> pb.Run:
        """A run of recommendations, ended."""
        return await self.run_to_end(pb.PIPELINE_RECOMMENDATIONS)

    async def watch(self, run_id: str) -> list[pb.Run]:
        """All that WatchRun says."""
        request = pb.WatchRunRequest(run_id=run_id)
        return [answer.run async for answer in self.stub.WatchRun(request, timeout=CALL_SECONDS)]

    async def end_of(self, run_id: str) -> pb.Run:
        """The run once it has ended."""
        run = (await self.watch(run_id))[-1]
        assert run.state in ENDED
        return run

    async def seen(self, run_id: str, condition: Callable[[pb.Run], bool]) -> pb.Run:
        """The run once it is so."""
        watch = self.stub.WatchRun(pb.WatchRunRequest(run_id=run_id), timeout=CALL_SECONDS)
        async for answer in watch:
            if condition(answer.run):
                watch.cancel()
                return answer.run
        raise AssertionError("the run ended before it was so")

    async def working_on(self, run_id: str, step: str) -> pb.Run:
        """The run once the step is at work."""
        return await self.seen(run_id, lambda run: step_of(run, step).state == pb.STEP_STATE_RUNNING)

    async def backfill(self, first_day: str, last_day: str, request_id: str = "") -> pb.Run:
        """A backfill, as the trigger returns it."""
        request = pb.BackfillRequest(first_day=first_day, last_day=last_day, request_id=request_id)
        return (await self.stub.Backfill(request, timeout=CALL_SECONDS)).run

    async def replay(self, run_id: str, request_id: str = "") -> pb.Run:
        """ReplayQuarantine, as the trigger returns it."""
        request = pb.ReplayQuarantineRequest(run_id=run_id, request_id=request_id)
        return (await self.stub.ReplayQuarantine(request, timeout=CALL_SECONDS)).run

    async def reasons(self, run_id: str) -> dict[str, int]:
        """ListQuarantineReasons."""
        request = pb.ListQuarantineReasonsRequest(run_id=run_id)
        answer = await self.stub.ListQuarantineReasons(request, timeout=CALL_SECONDS)
        return {reason.reason: reason.rows for reason in answer.reasons}

    async def cancel(self, run_id: str) -> pb.Run:
        """CancelRun."""
        return (await self.stub.CancelRun(pb.CancelRunRequest(run_id=run_id), timeout=CALL_SECONDS)).run

    async def retry(self, run_id: str) -> pb.Run:
        """RetryRun."""
        return (await self.stub.RetryRun(pb.RetryRunRequest(run_id=run_id), timeout=CALL_SECONDS)).run

    async def get(self, run_id: str) -> pb.Run:
        """GetRun."""
        return (await self.stub.GetRun(pb.GetRunRequest(run_id=run_id), timeout=CALL_SECONDS)).run

    async def list(self, size: int = 0, token: str = "", pipeline: int = 0) -> pb.ListRunsResponse:
        """ListRuns."""
        request = pb.ListRunsRequest(page_size=size, page_token=token, pipeline=pipeline)  # type: ignore[arg-type]
        return await self.stub.ListRuns(request, timeout=CALL_SECONDS)

    async def watermark(self) -> pb.GetWatermarkResponse:
        """GetWatermark."""
        return await self.stub.GetWatermark(pb.GetWatermarkRequest(), timeout=CALL_SECONDS)

    async def quarantined(self, run_id: str, size: int = 0, token: str = "") -> pb.ListQuarantinedRowsResponse:
        """ListQuarantinedRows."""
        request = pb.ListQuarantinedRowsRequest(run_id=run_id, page_size=size, page_token=token)
        return await self.stub.ListQuarantinedRows(request, timeout=CALL_SECONDS)

    async def schedules(self) -> dict[int, pb.Schedule]:
        """ListSchedules, by pipeline."""
        answer = await self.stub.ListSchedules(pb.ListSchedulesRequest(), timeout=CALL_SECONDS)
        return {schedule.pipeline: schedule for schedule in answer.schedules}


@asynccontextmanager
async def serving(settings: IngestSettings, **changes: object) -> AsyncIterator[Ingest]:
    """Works and serves until the context is left."""
    changed = settings.model_copy(update=changes)
    stop = asyncio.Event()
    async with (
        ingest(changed, stop) as service,
        grpc_server([service], changed) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        try:
            yield Ingest(rpc.IngestServiceStub(channel), f"127.0.0.1:{port}")
        finally:
            stop.set()


Found = TypeVar("Found")


async def eventually(ask: Callable[[], Awaitable[Found]], condition: Callable[[Found], bool]) -> Found:
    """The answer once it is so: for what no stream tells."""
    retry = retry_if_result(lambda found: not condition(found))
    asking = AsyncRetrying(retry=retry, wait=wait_fixed(0.02), stop=stop_after_delay(CALL_SECONDS))
    return await asking(ask)


def step_of(run: pb.Run, name: str) -> pb.Step:
    """A step by its name."""
    return next(step for step in run.steps if step.name == name)


@dataclass(frozen=True)
class Refused:
    """What a refused call tells: code, message, reason for programs, its data, and the field that is wrong."""

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict[str, str]
    field: str


async def refusal(call: Awaitable[object]) -> Refused:
    """Awaits a call that must fail, and reads the google.rpc details of its error."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for key, value in caught.value.trailing_metadata() or ():
        if key == DETAILS_TRAILER:
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
                detail.Unpack(request)
    field = request.field_violations[0].field if request.field_violations else ""
    message = caught.value.details() or ""
    return Refused(caught.value.code(), message, info.reason, dict(info.metadata), field)
