"""Builds and publishes as a run of ingest does: calls are repeated until they are answered, whatever dies meanwhile."""

from collections.abc import Awaitable, Callable
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
# Its end was published, and the answer lost.
ENDED = "NO_SUCH_EXPERIMENT"
EXPERIMENT = "crash"


class StuckError(Exception):
    """A run did not come to its end, which no kill explains."""


@dataclass
class Driver:
    """Calls the indexer. `repeated`: how many calls had to be made again."""

    port: int
    repeated: int = 0

    async def run(self, build_id: str) -> pb.Publication:
        """Builds a version, and has it published."""

        async def attempt(stub: "rpc.IndexerServiceAsyncStub") -> pb.Publication | None:
            return await self._publish(stub, await self._build(stub, build_id))

        return await self._until_published(build_id, attempt)

    async def start_experiment(self) -> pb.Publication:
        """Puts the main version before the present one before half of the clients."""
        return await self._until_published("the start of an experiment", self._start_experiment)

    async def end_experiment(self) -> pb.Publication:
        """The main version is everybody's again."""
        return await self._until_published("the end of an experiment", self._end_experiment)

    async def _until_published(
        self, what: str, attempt: "Callable[[rpc.IndexerServiceAsyncStub], Awaitable[pb.Publication | None]]"
    ) -> pb.Publication:
        for _ in range(TRIES):
            try:
                async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
                    publication = await attempt(rpc.IndexerServiceStub(channel))
            except grpc.aio.AioRpcError as error:
                if error.code() not in SURVIVABLE and reason_of(error) != KILLED_CHILD:
                    raise StuckError(f"{what}: {error.code()}: {error.details()}") from error
            else:
                if publication:
                    return publication
            self.repeated += 1
        raise StuckError(f"{what} was not published in {TRIES} tries")

    async def _start_experiment(self, stub: "rpc.IndexerServiceAsyncStub") -> pb.Publication | None:
        present, *earlier = await self._publications(stub)
        before = next(each.version for each in earlier if each.version != present.version)
        request = pb.StartExperimentRequest(
            version=before, experiment=EXPERIMENT, share=0.5, reason="crash test", override_reason="it is older"
        )
        answer = await stub.StartExperiment(request, timeout=CALL_SECONDS, wait_for_ready=True)
        return answer.publication if answer.HasField("publication") else None

    async def _end_experiment(self, stub: "rpc.IndexerServiceAsyncStub") -> pb.Publication:
        outcome = pb.EXPERIMENT_OUTCOME_DISCARDED
        request = pb.StopExperimentRequest(experiment=EXPERIMENT, outcome=outcome, reason="crash test")
        try:
            return (await stub.StopExperiment(request, timeout=CALL_SECONDS, wait_for_ready=True)).publication
        except grpc.aio.AioRpcError as error:
            if reason_of(error) != ENDED:
                raise
            return (await self._publications(stub))[0]

    async def _publications(self, stub: "rpc.IndexerServiceAsyncStub") -> list[pb.Publication]:
        """Newest first."""
        request = pb.ListPublicationsRequest(page_size=200)
        answer = await stub.ListPublications(request, timeout=CALL_SECONDS, wait_for_ready=True)
        return list(answer.publications)

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
