"""An indexer on a real socket, put together as its __main__ does."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from afin.indexer.v1 import indexer_pb2 as pb
from afin.indexer.v1 import indexer_pb2_grpc as rpc
from services.indexer.assembly import indexer
from services.indexer.settings import IndexerSettings
from services.runtime.errors import DETAILS_TRAILER
from services.runtime.server import grpc_server

CALL_SECONDS = 60


@dataclass(frozen=True)
class Indexer:
    """A client of a running indexer."""

    stub: "rpc.IndexerServiceAsyncStub"

    def start_build(self, build_id: str) -> "grpc.aio.UnaryStreamCall[pb.BuildIndexRequest, pb.BuildIndexResponse]":
        """A build that goes on; its messages are those of the call."""
        return self.stub.BuildIndex(pb.BuildIndexRequest(build_id=build_id), timeout=CALL_SECONDS)

    async def build(self, build_id: str) -> list[pb.BuildIndexResponse]:
        """All messages of a build."""
        return [message async for message in self.start_build(build_id)]

    async def validate(
        self, version: str, *, publish: bool = False, override_reason: str = ""
    ) -> pb.ValidateIndexResponse:
        """A validation, without publication unless it is asked for."""
        request = pb.ValidateIndexRequest(version=version, publish=publish, override_reason=override_reason)
        return await self.stub.ValidateIndex(request, timeout=CALL_SECONDS)

    async def roll_back(self, version: str = "", reason: str = "it is worse") -> pb.Publication:
        """The publication of a rollback."""
        request = pb.RollbackIndexRequest(version=version, reason=reason)
        return (await self.stub.RollbackIndex(request, timeout=CALL_SECONDS)).publication

    async def start_experiment(
        self, version: str, name: str = "try", share: float = 0.5, override_reason: str = ""
    ) -> pb.StartExperimentResponse:
        """A second version before a share of the clients."""
        request = pb.StartExperimentRequest(
            version=version, experiment=name, share=share, reason="to see", override_reason=override_reason
        )
        return await self.stub.StartExperiment(request, timeout=CALL_SECONDS)

    async def change_experiment(self, share: float, name: str = "try") -> pb.Publication:
        """The publication of another share."""
        request = pb.ChangeExperimentRequest(experiment=name, share=share, reason="to see more")
        return (await self.stub.ChangeExperiment(request, timeout=CALL_SECONDS)).publication

    async def stop_experiment(
        self, outcome: pb.ExperimentOutcome.ValueType = pb.EXPERIMENT_OUTCOME_DISCARDED, name: str = "try"
    ) -> pb.Publication:
        """The publication of an experiment's end."""
        request = pb.StopExperimentRequest(experiment=name, outcome=outcome, reason="seen enough")
        return (await self.stub.StopExperiment(request, timeout=CALL_SECONDS)).publication

    async def compare(self, version: str, base: str = "") -> pb.CompareIndexVersionsResponse:
        """Two versions side by side."""
        request = pb.CompareIndexVersionsRequest(base=base, version=version)
        return await self.stub.CompareIndexVersions(request, timeout=CALL_SECONDS)

    async def prune(self, keep: int, within: timedelta = timedelta(0), *, dry_run: bool = False) -> dict[str, str]:
        """What was removed, and why."""
        request = pb.PruneIndexVersionsRequest(keep_newest=keep, dry_run=dry_run)
        request.keep_in_service_within.FromTimedelta(within)
        answer = await self.stub.PruneIndexVersions(request, timeout=CALL_SECONDS)
        return {each.version: pb.PruneReason.Name(each.reason) for each in answer.pruned}

    async def version(self, version: str) -> pb.IndexVersion:
        """One version."""
        request = pb.GetIndexVersionRequest(version=version)
        return (await self.stub.GetIndexVersion(request, timeout=CALL_SECONDS)).index_version

    async def versions(self, size: int = 0, token: str = "") -> pb.ListIndexVersionsResponse:
        """A page of versions."""
        request = pb.ListIndexVersionsRequest(page_size=size, page_token=token)
        return await self.stub.ListIndexVersions(request, timeout=CALL_SECONDS)

    async def publications(self, size: int = 0, token: str = "") -> pb.ListPublicationsResponse:
        """A page of publications."""
        request = pb.ListPublicationsRequest(page_size=size, page_token=token)
        return await self.stub.ListPublications(request, timeout=CALL_SECONDS)


def settings_for(database_url: str, objects: Path, **changes: object) -> IndexerSettings:
    """A small index of what the database holds, in the folder `objects`."""
    fields: dict[str, object] = {
        "database_url": database_url,
        "object_store_url": objects.as_uri(),
        "dimension": 8,
        "trees": 5,
        "drain_seconds": 5,
    }
    return IndexerSettings(**{**fields, **changes})  # type: ignore[arg-type] # pydantic converts


@asynccontextmanager
async def serving(settings: IndexerSettings) -> AsyncIterator[Indexer]:
    """Serves until the context is left."""
    async with (
        indexer(settings) as service,
        grpc_server([service], settings) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Indexer(rpc.IndexerServiceStub(channel))


@dataclass(frozen=True)
class Refused:
    """What a refused call tells: code, message, and the reason for programs."""

    code: grpc.StatusCode
    message: str
    reason: str


async def refusal(call: Awaitable[object]) -> Refused:
    """Awaits a call that must fail, and reads the google.rpc details of its error."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info = error_details_pb2.ErrorInfo()
    for key, value in caught.value.trailing_metadata() or ():
        if key == DETAILS_TRAILER:
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
    return Refused(caught.value.code(), caught.value.details() or "", info.reason)
