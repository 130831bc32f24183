"""The gRPC servers of all services: health, reflection, TLS, limits, what happens around a call, draining stop.

There are two kinds, alike from outside:

    grpc_server     everything on the event loop, handlers are coroutines: where a call mostly waits for others, as in
                    ingest, warehouse and indexer
    thread_server   calls in threads, handlers are functions: where a call is a little work in memory, as in the
                    recommender, and the transport is what costs. It takes twice the calls (ADR 0023)

Options, limits, health watch, access, metrics, log lines and errors are the same code for both; the kinds differ in the
interceptor that puts it around a call, and in `CallPool`, which runs the calls of a thread server.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.runtime.access.admission import Admission
from services.runtime.access.door import open_door
from services.runtime.access.roles import Rpcs
from services.runtime.aio_health import AioHealth
from services.runtime.aio_server import AioServer
from services.runtime.call_pool import PoolLimits
from services.runtime.calls import Method, count_from_zero
from services.runtime.health import HealthTeller, HealthWatch, ReadyCheck
from services.runtime.server_options import server_options
from services.runtime.settings import ServiceSettings, cannot_listen
from services.runtime.thread_health import ThreadHealth
from services.runtime.thread_server import ThreadServer
from services.runtime.tracing.calls import TracedMethod

HEALTH_INTERVAL = timedelta(seconds=1)
HEALTH_TIMEOUT = timedelta(seconds=2)

Kind = Callable[[Admission, ServiceSettings], Any]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GrpcService:
    """A servicer as the server needs it: its full proto name, how it is registered, when it can do its work, and who
    may call what of it.
    """

    full_name: str
    register: Callable[[Any], None]
    check_ready: ReadyCheck
    rpcs: Rpcs = field(default_factory=dict)


def grpc_server(services: Sequence[GrpcService], settings: ServiceSettings) -> AbstractAsyncContextManager[int]:
    """Serves while the context is open and yields the port; leaving it refuses new calls and drains those in flight."""
    return _serving(_aio_server, AioHealth(settings.max_connections), services, settings)


def thread_server(
    services: Sequence[GrpcService], settings: ServiceSettings, shared_port: int | None = None
) -> AbstractAsyncContextManager[int]:
    """The same with handlers that are functions; the event loop of the caller is left to what else the process does.

    `shared_port`: one that other processes listen on as well, in place of the settings'.
    """
    health_of = ThreadHealth(settings.max_connections)
    if shared_port is None:
        return _serving(_thread_server, health_of, services, settings)
    settings = settings.model_copy(update={"port": shared_port})
    return _serving(partial(_thread_server, shares_port=True), health_of, services, settings)


def _aio_server(admission: Admission, settings: ServiceSettings) -> Any:
    return AioServer(admission, server_options(settings), settings.max_calls, _kind_of_method(settings))


def _thread_server(admission: Admission, settings: ServiceSettings, *, shares_port: bool = False) -> Any:
    options = server_options(settings, shares_port=shares_port)
    return ThreadServer(admission, options, PoolLimits(work=settings.max_calls), _kind_of_method(settings))


def _kind_of_method(settings: ServiceSettings) -> type[Method]:
    """Where nobody collects traces, a call costs what it would cost if there were none."""
    return Method if settings.traces_url is None else TracedMethod


@asynccontextmanager
async def _serving(
    kind: Kind, teller: Any, services: Sequence[GrpcService], settings: ServiceSettings
) -> AsyncIterator[int]:
    door = open_door(settings, {service.full_name: service.rpcs for service in services})
    server = kind(door.admission, settings)
    health_pb2_grpc.add_HealthServicer_to_server(teller, server)
    for service in services:
        service.register(server)
        count_from_zero(service.full_name)
    names = [service.full_name for service in services]
    if settings.reflection:
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server.inner)
    async with door.following(), _health_apart(partial(kind, door.admission, settings), teller, settings):
        port = _bind(server, settings.host, settings.port, door.credentials)
        await server.start()
        log.info("gRPC listening", port=port, tls=door.credentials is not None)
        try:
            async with _watching(teller, services):
                yield port
        finally:
            await _let_watchers_leave(teller, settings.notice_seconds)
            await server.stop(settings.drain_seconds)
            log.info("gRPC stopped")


@asynccontextmanager
async def _watching(teller: HealthTeller, services: Sequence[GrpcService]) -> AsyncIterator[None]:
    """Keeps health true inside; afterwards it is NOT_SERVING for good."""
    watch = HealthWatch(teller, {service.full_name: service.check_ready for service in services})
    watching = asyncio.create_task(watch.keep_watching(HEALTH_INTERVAL, HEALTH_TIMEOUT))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await teller.leave()


async def _let_watchers_leave(teller: HealthTeller, notice_seconds: float) -> None:
    """Clients that watch health, which says NOT_SERVING by now, go elsewhere before calls are refused here."""
    if teller.watches:
        await asyncio.sleep(notice_seconds)
    await teller.end_watches()


@asynccontextmanager
async def _health_apart(make: Callable[[], Any], teller: Any, settings: ServiceSettings) -> AsyncIterator[None]:
    """Health on a plaintext port of its own, where one is set; it answers for as long as calls are drained."""
    if settings.health_port is None:
        yield
        return
    server = make()
    health_pb2_grpc.add_HealthServicer_to_server(teller, server)
    port = _bind(server, settings.host, settings.health_port, None)
    await server.start()
    log.info("health listening", port=port)
    try:
        yield
    finally:
        await server.stop(0)


def _bind(server: Any, host: str, port: int, credentials: grpc.ServerCredentials | None) -> int:
    address = f"{host}:{port}"
    try:
        if credentials is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, credentials))
    except RuntimeError:
        raise cannot_listen(host, port) from None
