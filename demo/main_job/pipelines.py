"""Runs a pipeline through ingest's gRPC and follows it to its end."""

from collections.abc import Callable
from datetime import timedelta

import grpc

from afin.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from demo.errors import DemoError
from services.runtime.access.proof import NO_PROOF, Proof
from services.runtime.channels import open_channel

CALL_TIMEOUT = timedelta(seconds=30)
RUN_TIMEOUT = timedelta(hours=6)

Watcher = Callable[[ingest_pb2.Run], None]
ENDED = (ingest_pb2.RUN_STATE_SUCCEEDED, ingest_pb2.RUN_STATE_FAILED, ingest_pb2.RUN_STATE_CANCELLED)


class RunFailedError(DemoError):
    """A pipeline ended otherwise than in success; the message says why."""


async def run_pipeline(
    address: str, pipeline: "ingest_pb2.Pipeline.ValueType", watch: Watcher, proof: Proof = NO_PROOF
) -> ingest_pb2.Run:
    """Starts `pipeline`, tells `watch` each change, and gives the run at its end; RunFailedError unless it succeeded.

    A run of the pipeline that is already active is followed instead of starting another.
    """
    async with open_channel(address, proof) as channel:
        ingest = ingest_pb2_grpc.IngestServiceStub(channel)
        run = await _start(ingest, pipeline)
        watch(run)
        while run.state not in ENDED:
            run = await follow(ingest, run, watch)
    if run.state != ingest_pb2.RUN_STATE_SUCCEEDED:
        raise RunFailedError(f"run {run.run_id} {_state(run)}: {run.error}")
    return run


async def follow(
    ingest: "ingest_pb2_grpc.IngestServiceAsyncStub", run: ingest_pb2.Run, watch: Watcher
) -> ingest_pb2.Run:
    """Tells `watch` each change, and gives the run as last seen: it has not ended where ingest went away."""
    request = ingest_pb2.WatchRunRequest(run_id=run.run_id)
    try:
        async for answer in ingest.WatchRun(request, timeout=RUN_TIMEOUT.total_seconds(), wait_for_ready=True):
            run = answer.run
            watch(run)
    except grpc.aio.AioRpcError as error:
        # ingest was stopped or killed: the run goes on when it is back, and so do we.
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
    return run


async def _start(
    ingest: "ingest_pb2_grpc.IngestServiceAsyncStub", pipeline: "ingest_pb2.Pipeline.ValueType"
) -> ingest_pb2.Run:
    active = await _active(ingest, pipeline)
    if active is not None:
        return active
    request = ingest_pb2.RunPipelineRequest(pipeline=pipeline)
    return (await ingest.RunPipeline(request, timeout=CALL_TIMEOUT.total_seconds())).run


async def _active(
    ingest: "ingest_pb2_grpc.IngestServiceAsyncStub", pipeline: "ingest_pb2.Pipeline.ValueType"
) -> ingest_pb2.Run | None:
    request = ingest_pb2.ListRunsRequest(pipeline=pipeline, page_size=1)
    runs = (await ingest.ListRuns(request, timeout=CALL_TIMEOUT.total_seconds(), wait_for_ready=True)).runs
    return runs[0] if runs and runs[0].state not in ENDED else None


def _state(run: ingest_pb2.Run) -> str:
    return ingest_pb2.RunState.Name(run.state).removeprefix("RUN_STATE_").lower()
