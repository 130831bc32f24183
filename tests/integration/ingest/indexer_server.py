"""An indexer on a real socket that builds nothing, and says what a test tells it to."""

# ruff: noqa: N802 - gRPC names the methods as the proto does

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic_settings import SettingsConfigDict

from afin.indexer.v1 import indexer_pb2 as pb
from afin.indexer.v1.indexer_pb2_grpc import IndexerServiceServicer, add_IndexerServiceServicer_to_server
from services.runtime.errors import Unavailable
from services.runtime.server import GrpcService, grpc_server
from services.runtime.settings import ServiceSettings


class PeerSettings(ServiceSettings):
    """Of a server that a test runs; nothing of it comes from the environment."""

    model_config = SettingsConfigDict(env_prefix="TEST_PEER_", frozen=True)


@dataclass
class IndexerServer:
    """What it answers, and what it was asked. `away`: calls that it refuses as if its process were gone."""

    address: str = ""
    builds: list[str] = field(default_factory=list)
    validations: list[str] = field(default_factory=list)
    refreshes: int = 0
    refused_refreshes: int = 0
    refreshed: asyncio.Condition = field(default_factory=asyncio.Condition)
    checks: list[pb.Check] = field(default_factory=lambda: [pb.Check(name="loads", passed=True)])
    drift: pb.Comparison | None = None
    away: int = 0
    # Set: builds go on. Cleared: they wait in their second stage.
    open: asyncio.Event = field(default_factory=asyncio.Event)


class _Servicer(IndexerServiceServicer):
    def __init__(self, server: IndexerServer) -> None:
        self._server = server

    async def BuildIndex(self, request: pb.BuildIndexRequest, context: Any) -> AsyncIterator[pb.BuildIndexResponse]:
        self._server.builds.append(request.build_id)
        yield pb.BuildIndexResponse(stage="read_training_payments", detail="3 rows")
        if self._server.away:
            self._server.away -= 1
            raise Unavailable("gone")
        yield pb.BuildIndexResponse(stage="build_annoy")
        await self._server.open.wait()
        version = pb.IndexVersion(version=f"v-{request.build_id}", companies=5, clients=7, training_payments=3)
        yield pb.BuildIndexResponse(stage="done", index_version=version)

    async def ValidateIndex(self, request: pb.ValidateIndexRequest, context: Any) -> pb.ValidateIndexResponse:
        self._server.validations.append(request.version)
        passed = all(check.passed for check in self._server.checks)
        validation = pb.Validation(passed=passed, checks=self._server.checks, drift=self._server.drift)
        answer = pb.ValidateIndexResponse(validation=validation)
        if passed and request.publish:
            answer.publication.epoch = len(self._server.validations)
        return answer

    async def RefreshHistories(self, request: pb.RefreshHistoriesRequest, context: Any) -> pb.RefreshHistoriesResponse:
        async with self._server.refreshed:
            self._server.refreshes += 1
            self._server.refreshed.notify_all()
        if self._server.refused_refreshes:
            self._server.refused_refreshes -= 1
            raise Unavailable("gone")
        return pb.RefreshHistoriesResponse()


@asynccontextmanager
async def indexer_server() -> AsyncIterator[IndexerServer]:
    """Serves on a free port until the context is left."""
    server = IndexerServer()
    server.open.set()
    # The RPCs that ingest does not call are left as generated: UNIMPLEMENTED.
    register = partial(add_IndexerServiceServicer_to_server, _Servicer(server))  # type: ignore[abstract]
    service = GrpcService("afin.indexer.v1.IndexerService", register, _ready)
    async with grpc_server([service], PeerSettings(drain_seconds=0)) as port:
        server.address = f"127.0.0.1:{port}"
        yield server


async def _ready() -> None:
    """Always."""
