"""A service that does what a test tells it, behind a real server of either kind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import wait
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from prometheus_client import REGISTRY

from afin.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from services.runtime.errors import DETAILS_TRAILER
from services.runtime.patience import Patience
from services.runtime.server import GrpcService, grpc_server, thread_server
from services.runtime.settings import ServiceSettings

UNARY = "afin.recommender.v1.RecommenderService"
STREAM = "afin.ingest.v1.IngestService"
# Seconds, of the work in a thread.
PART = 0.01
ANSWER = recommender_pb2.ReloadIndexResponse(changed=True)


async def _nothing() -> None:
    return


class House:
    """ReloadIndex awaits `work` and answers; WatchRun gives one message before that and one after."""

    def __init__(self, kind: str = "aio") -> None:
        """`kind` of server: aio or threads."""
        self.kind = kind
        self.patience = timedelta(seconds=30)
        self.work: Callable[[], Awaitable[None]] = _nothing
        self.ready: Callable[[], Awaitable[None]] = _nothing

    def serve(self, settings: ServiceSettings) -> AbstractAsyncContextManager[int]:
        """Serves the house, on the port that the context yields."""
        return grpc_server(self.services(), settings) if self.kind == "aio" else self._serve_in_threads(settings)

    @asynccontextmanager
    async def _serve_in_threads(self, settings: ServiceSettings) -> AsyncIterator[int]:
        rooms = Rooms(self)
        async with thread_server(self._services(rooms.answer, rooms.stream), settings) as port:
            yield port

    def services(self) -> list[GrpcService]:
        """As an asyncio server takes them."""
        return self._services(self._answer, self._stream)

    def _services(self, answer: Any, watch: Any) -> list[GrpcService]:
        """Methods of two real protos, as their servicers would register them."""
        unary = grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=recommender_pb2.ReloadIndexRequest.FromString,
            response_serializer=recommender_pb2.ReloadIndexResponse.SerializeToString,
        )
        stream = grpc.unary_stream_rpc_method_handler(
            watch,
            request_deserializer=ingest_pb2.WatchRunRequest.FromString,
            response_serializer=ingest_pb2.WatchRunResponse.SerializeToString,
        )
        return [self._service(UNARY, "ReloadIndex", unary), self._service(STREAM, "WatchRun", stream)]

    def _service(self, name: str, method: str, handler: Any) -> GrpcService:
        def register(server: Any) -> None:
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {method: handler}),))
            server.add_registered_method_handlers(name, {method: handler})

        return GrpcService(name, register, self._check_ready)

    async def _answer(self, request: object, context: Any) -> recommender_pb2.ReloadIndexResponse:
        await self.work()
        return ANSWER

    async def _stream(self, request: object, context: Any) -> AsyncIterator[ingest_pb2.WatchRunResponse]:
        yield ingest_pb2.WatchRunResponse()
        await self.work()
        yield ingest_pb2.WatchRunResponse()

    async def _check_ready(self) -> None:
        await self.ready()


class Rooms:
    """The same in functions: the work is done on the test's loop, and looked after as work in parts is."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()

    def answer(self, request: object, context: Any) -> recommender_pb2.ReloadIndexResponse:
        """ReloadIndex."""
        self._work(context)
        return ANSWER

    def stream(self, request: object, context: Any) -> Iterator[ingest_pb2.WatchRunResponse]:
        """WatchRun."""
        yield ingest_pb2.WatchRunResponse()
        self._work(context)
        yield ingest_pb2.WatchRunResponse()

    def _work(self, context: Any) -> None:
        async def work() -> None:
            await self._house.work()

        patience = Patience(context, self._house.patience)
        working = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            while not wait([working], timeout=PART).done:
                patience.check()
            working.result()
        finally:
            working.cancel()


@dataclass(frozen=True)
class Visitor:
    """A client of a house."""

    port: int
    channel: grpc.aio.Channel

    async def call(self) -> recommender_pb2.ReloadIndexResponse:
        """The unary call."""
        stub: Any = recommender_pb2_grpc.RecommenderServiceStub(self.channel)
        answer: recommender_pb2.ReloadIndexResponse = await stub.ReloadIndex(
            recommender_pb2.ReloadIndexRequest(), timeout=20
        )
        return answer

    async def watch(self) -> list[ingest_pb2.WatchRunResponse]:
        """The streaming call, to its end."""
        stub: Any = ingest_pb2_grpc.IngestServiceStub(self.channel)
        return [message async for message in stub.WatchRun(ingest_pb2.WatchRunRequest(), timeout=20)]


def settings_of(port: int = 0, drain_seconds: float = 10, **others: Any) -> ServiceSettings:
    """Of a server on this machine alone."""
    return ServiceSettings(host="127.0.0.1", port=port, drain_seconds=drain_seconds, **others)


@asynccontextmanager
async def open_house(house: House, **settings: Any) -> AsyncIterator[Visitor]:
    """Serves on a free port until the context is left."""
    async with (
        house.serve(settings_of(**settings)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Visitor(port, channel)


def details_of(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """The google.rpc details of an error; empty messages for those it does not have."""
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_TRAILER:
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
                detail.Unpack(request)
    return info, request


def handled(method: str, code: str) -> float:
    """How many calls the metric says ended so."""
    service, kind = (STREAM, "server_stream") if method == "WatchRun" else (UNARY, "unary")
    labels = {"grpc_type": kind, "grpc_service": service, "grpc_method": method, "grpc_code": code}
    return REGISTRY.get_sample_value("grpc_server_handled_total", labels) or 0


class Door:
    """Somebody is inside from `entered` on, and stays until `opened`."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def stay(self) -> None:
        """Work that takes as long as a test wants."""
        self.entered.set()
        async with asyncio.timeout(20):
            await self.opened.wait()
