"""Runs as a person drives them through trouble: triggered, retried, cancelled; calls are repeated until answered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from itertools import cycle
from uuid import UUID

import grpc

from afin.ingest.v1 import ingest_pb2 as pb
from afin.ingest.v1 import ingest_pb2_grpc as rpc
from services.runtime.errors import reason_of
from tests.crash.database import Database
from tests.crash.processes import Replica

CALL_SECONDS = 3
PAUSE_SECONDS = 0.05
RUN_SECONDS = 120
STATES = """
    SELECT r.state, r.error, s.name, s.state AS step_state
    FROM ingest.runs AS r JOIN ingest.steps AS s USING (run_id) WHERE run_id = $1
"""
# Steps behind which a run only sees to the index.
LAST_OF_DATA = {"update_last_payments_update", "erase_from_warehouse"}
ENDED = ("succeeded", "failed", "cancelled")
Call = Callable[["rpc.IngestServiceAsyncStub"], Awaitable[UUID]]


class StuckError(Exception):
    """A run did not come to an end in time, which no fault explains."""


@dataclass(frozen=True)
class Progress:
    """How far a run is. `has_data`: all that it brings to the warehouse is there."""

    state: str
    error: str
    has_data: bool


class Client:
    """Calls whichever replica is up."""

    def __init__(self, replicas: list[Replica], database: Database) -> None:
        self._replicas = cycle(replicas)
        self._database = database

    async def trigger(self, pipeline: "pb.Pipeline.ValueType", request_id: str) -> UUID:
        """A new run."""
        request = pb.RunPipelineRequest(pipeline=pipeline, request_id=request_id)

        async def ask(stub: "rpc.IngestServiceAsyncStub") -> UUID:
            return UUID((await stub.RunPipeline(request, timeout=CALL_SECONDS)).run.run_id)

        return await self._insist(ask)

    async def backfill(self, first: date, last: date, request_id: str) -> UUID:
        """A new backfill."""
        request = pb.BackfillRequest(first_day=str(first), last_day=str(last), request_id=request_id)

        async def ask(stub: "rpc.IngestServiceAsyncStub") -> UUID:
            return UUID((await stub.Backfill(request, timeout=CALL_SECONDS)).run.run_id)

        return await self._insist(ask)

    async def replay(self, refused_by: UUID, request_id: str) -> UUID:
        """A new replay of what a run refused."""
        request = pb.ReplayQuarantineRequest(run_id=str(refused_by), request_id=request_id)

        async def ask(stub: "rpc.IngestServiceAsyncStub") -> UUID:
            return UUID((await stub.ReplayQuarantine(request, timeout=CALL_SECONDS)).run.run_id)

        return await self._insist(ask)

    async def erase(self, client: str, request_id: str) -> UUID:
        """A new erasure."""
        request = pb.EraseClientRequest(external_client_id=client, request_id=request_id)

        async def ask(stub: "rpc.IngestServiceAsyncStub") -> UUID:
            return UUID((await stub.EraseClient(request, timeout=CALL_SECONDS)).erasure.erasure_id)

        return await self._insist(ask)

    async def retry(self, run_id: UUID) -> UUID:
        """The failed run again."""

        async def ask(stub: "rpc.IngestServiceAsyncStub") -> UUID:
            if (await self.progress(run_id)).state != "failed":
                return run_id
            return UUID((await stub.RetryRun(pb.RetryRunRequest(run_id=str(run_id)), timeout=CALL_SECONDS)).run.run_id)

        return await self._insist(ask)

    async def cancel(self, run_id: UUID) -> UUID:
        """What is left of a run whose data are there."""

        async def ask(stub: "rpc.IngestServiceAsyncStub") -> UUID:
            if (await self.progress(run_id)).state in ENDED:
                return run_id
            request = pb.CancelRunRequest(run_id=str(run_id))
            try:
                return UUID((await stub.CancelRun(request, timeout=CALL_SECONDS)).run.run_id)
            except grpc.aio.AioRpcError:
                # It may have ended after it was asked for.
                if (await self.progress(run_id)).state in ENDED:
                    return run_id
                raise

        return await self._insist(ask)

    async def progress(self, run_id: UUID) -> Progress:
        """As the table of runs has it."""
        rows = await self._database.fetch(STATES, run_id)
        done = {row["name"] for row in rows if row["step_state"] == "succeeded"}
        has_data = rows[0]["state"] == "succeeded" or bool(done & LAST_OF_DATA)
        return Progress(rows[0]["state"], rows[0]["error"], has_data)

    async def settled(self, run_id: UUID) -> Progress:
        """Once its data are there, or it has ended without them; StuckError when neither comes."""
        return await self._once(run_id, lambda progress: progress.has_data or progress.state in ENDED)

    async def ended(self, run_id: UUID) -> Progress:
        """Once it has ended; StuckError when it does not."""
        return await self._once(run_id, lambda progress: progress.state in ENDED)

    async def _once(self, run_id: UUID, is_reached: Callable[[Progress], bool]) -> Progress:
        try:
            async with asyncio.timeout(RUN_SECONDS):
                while True:
                    if is_reached(progress := await self.progress(run_id)):
                        return progress
                    await asyncio.sleep(PAUSE_SECONDS)
        except TimeoutError:
            raise StuckError(f"run {run_id} is stuck: {await self.progress(run_id)}") from None

    async def _insist(self, call: Call) -> UUID:
        try:
            async with asyncio.timeout(RUN_SECONDS):
                while True:
                    replica = next(self._replicas)
                    if replica.is_up and (answer := await _answer(replica.port, call)) is not None:
                        return answer
                    await asyncio.sleep(PAUSE_SECONDS)
        except TimeoutError:
            raise StuckError("no replica took the call") from None


async def _answer(port: int, call: Call) -> UUID | None:
    """None when the call may be repeated: the replica is away, or the pipeline's last run is not quite over."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            return await call(rpc.IngestServiceStub(channel))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION and reason_of(error) != "RUN_ACTIVE":
                raise
            return None
