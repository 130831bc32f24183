"""The four services as the console calls them: in the name of the person whose key the session holds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from afin.indexer.v1 import indexer_pb2, indexer_pb2_grpc
from afin.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from afin.warehouse.v1 import warehouse_pb2, warehouse_pb2_grpc
from console.settings import ConsoleSettings
from services.runtime.peers import open_peer

if TYPE_CHECKING:
    from afin.indexer.v1.indexer_pb2_grpc import IndexerServiceAsyncStub
    from afin.ingest.v1.ingest_pb2_grpc import IngestServiceAsyncStub
    from afin.recommender.v1.recommender_pb2_grpc import RecommenderServiceAsyncStub
    from afin.warehouse.v1.warehouse_pb2_grpc import WarehouseServiceAsyncStub

# Services that are not ready are asked all the same: they tell why, and the page System tells of them.
ANY_HEALTH = ""
HEALTH_PATIENCE = timedelta(seconds=2)
FULL_NAMES = {
    name: file.DESCRIPTOR.services_by_name[f"{name.capitalize()}Service"].full_name
    for name, file in {
        "ingest": ingest_pb2,
        "warehouse": warehouse_pb2,
        "indexer": indexer_pb2,
        "recommender": recommender_pb2,
    }.items()
}

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Services:
    """Stubs on open channels; `health` by name of the service."""

    ingest: "IngestServiceAsyncStub"
    warehouse: "WarehouseServiceAsyncStub"
    indexer: "IndexerServiceAsyncStub"
    recommender: "RecommenderServiceAsyncStub"
    health: dict[str, Any]
    addresses: dict[str, str]


@dataclass(frozen=True, slots=True)
class Told(Generic[Answer]):
    """What came of a call that a page can do without: the answer, or why there is none."""

    value: Answer | None = None
    problem: str = ""


class Caller:
    """Calls in one person's name, each within `patience`."""

    def __init__(self, services: Services, key: str, patience: timedelta) -> None:
        self.services = services
        self._metadata = (("authorization", f"Bearer {key}"),) if key else ()
        self._patience = patience

    async def ask(
        self, method: Callable[..., Awaitable[Answer]], request: object, patience: timedelta | None = None
    ) -> Answer:
        """The answer. Raises AioRpcError."""
        seconds = (patience or self._patience).total_seconds()
        return await method(request, timeout=seconds, metadata=self._metadata)

    async def attempt(
        self, method: Callable[..., Awaitable[Answer]], request: object, patience: timedelta | None = None
    ) -> Told[Answer]:
        """The answer, or the problem in words. Raises AioRpcError only where the key is not accepted."""
        try:
            return Told(value=await self.ask(method, request, patience))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                raise
            return Told(problem=problem_of(error))

    def follow(self, method: Callable[..., Any], request: object, most: timedelta) -> Any:
        """The stream of answers, for at most so long."""
        return method(request, timeout=most.total_seconds(), metadata=self._metadata)

    async def health(self) -> dict[str, dict[str, str]]:
        """By service, what it tells of its process and of its work: SERVING, or why not."""
        told = await asyncio.gather(*(self._health_of(name) for name in FULL_NAMES))
        return dict(zip(FULL_NAMES, told, strict=True))

    async def _health_of(self, name: str) -> dict[str, str]:
        alive, ready = await asyncio.gather(self._asked(name, ""), self._asked(name, FULL_NAMES[name]))
        return {"alive": alive, "ready": ready}

    async def _asked(self, name: str, service: str) -> str:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = await self.services.health[name].Check(request, timeout=HEALTH_PATIENCE.total_seconds())
        except grpc.aio.AioRpcError as error:
            return str(error.code().name)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def problem_of(error: grpc.aio.AioRpcError) -> str:
    """A failed call in one line for a person; the services' own messages hold no client id."""
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return "the service does not answer now"
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "the service did not answer in time"
    return error.details() or error.code().name


@asynccontextmanager
async def open_services(settings: ConsoleSettings) -> AsyncIterator[Services]:
    """Channels for as long as the context is open; no service need be there yet."""
    addresses = {name: str(getattr(settings, f"{name}_address")) for name in FULL_NAMES}
    async with AsyncExitStack() as stack:
        channels = {
            name: await stack.enter_async_context(open_peer(address, settings, ANY_HEALTH))
            for name, address in addresses.items()
        }
        yield Services(
            ingest=ingest_pb2_grpc.IngestServiceStub(channels["ingest"]),
            warehouse=warehouse_pb2_grpc.WarehouseServiceStub(channels["warehouse"]),
            indexer=indexer_pb2_grpc.IndexerServiceStub(channels["indexer"]),
            recommender=recommender_pb2_grpc.RecommenderServiceStub(channels["recommender"]),
            health={name: health_pb2_grpc.HealthStub(channel) for name, channel in channels.items()},
            addresses=addresses,
        )
