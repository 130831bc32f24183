"""Builds and publishes as a run of ingest does: calls are repeated until they are answered, whatever dies meanwhile."""

from dataclasses import dataclass

import grpc

from afin.indexer.v1 import indexer_pb2 as pb
from afin.indexer.v1 import indexer_pb2_grpc as rpc
from services.runtime.errors import reason_of

CALL_SECONDS = 120
TRIES = 30
# What a killed process, or a killed child of it, does to a call.
SURVIVABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
KILLED_CHILD = "TRAINING_KILLED"


class StuckError(Exception):
    """A run did not come to its end, which no kill explains."""


@dataclass
class Driver:
    """Calls the indexer. `repeated`: how many calls had to be made again."""

    port: int
    repeated: int = 0

    async def run(self, build_id: str) -> pb.Publication:
        """Builds a version, and has it published."""
        for _ in range(TRIES):
            try:
                async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
                    stub = rpc.IndexerServiceStub(channel)
                    publication = await self._publish(stub, await self._build(stub, build_id))
            except grpc.aio.AioRpcError as error:
                if error.code() not in SURVIVABLE and reason_of(error) != KILLED_CHILD:
                    raise StuckError(f"{build_id}: {error.code()}: {error.details()}") from error
            else:
                if publication:
                    return publication
            self.repeated += 1
        raise StuckError(f"{build_id} was not published in {TRIES} tries")

    async def prune(self) -> None:
        """By the indexer's own rules; when no kill is to be expected any more."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            request = pb.PruneIndexVersionsRequest()
            await rpc.IndexerServiceStub(channel).PruneIndexVersions(request, timeout=CALL_SECONDS, wait_for_ready=True)

    async def _build(self, stub: "rpc.IndexerServiceAsyncStub", build_id: str) -> str:
        request = pb.BuildIndexRequest(build_id=build_id)
        stages = stub.BuildIndex(request, timeout=CALL_SECONDS, wait_for_ready=True)
        return [message async for message in stages][-1].index_version.version

    async def _publish(self, stub: "rpc.IndexerServiceAsyncStub", version: str) -> pb.Publication | None:
        """None when it did not pass: its inspection may have been killed."""
        request = pb.ValidateIndexRequest(version=version, publish=True)
        answer = await stub.ValidateIndex(request, timeout=CALL_SECONDS, wait_for_ready=True)
        return answer.publication if answer.HasField("publication") else None
