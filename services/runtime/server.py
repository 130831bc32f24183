"""The one gRPC server of all services: health, reflection, limits, interceptor, TLS, draining stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.runtime.access.door import open_door
from services.runtime.access.roles import Rpcs
from services.runtime.health import HealthWatch, ReadyCheck
from services.runtime.interceptor import CallInterceptor
from services.runtime.settings import ServiceSettings

MAX_REQUEST_BYTES = 4 * 1024 * 1024
MAX_METADATA_BYTES = 16 * 1024
MAX_CONCURRENT_CALLS = 1000
HEALTH_INTERVAL = timedelta(seconds=1)
HEALTH_TIMEOUT = timedelta(seconds=2)
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
    # Another process on the port is a mistake to hear of, not a second server to share it with.
    ("grpc.so_reuseport", 0),
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GrpcService:
    """A servicer as the server needs it: its full proto name, how it is registered, when it can do its work, and who
    may call what of it.
    """

    full_name: str
    register: Callable[[grpc.aio.Server], None]
    check_ready: ReadyCheck
    rpcs: Rpcs = field(default_factory=dict)


@asynccontextmanager
async def grpc_server(services: Sequence[GrpcService], settings: ServiceSettings) -> AsyncIterator[int]:
    """Serves while the context is open and yields the port; leaving it refuses new calls and drains those in flight."""
    door = open_door(settings, {service.full_name: service.rpcs for service in services})
    server = grpc.aio.server(
        interceptors=[CallInterceptor(door.admission)], options=OPTIONS, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS
    )
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    for service in services:
        service.register(server)
    names = [service.full_name for service in services]
    if settings.reflection:
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    async with door.following(), _health_apart(health_servicer, settings):
        port = _bind(server, settings.host, settings.port, door.credentials)
        await server.start()
        log.info("gRPC listening", port=port, tls=door.credentials is not None)
        watch = HealthWatch(health_servicer, {service.full_name: service.check_ready for service in services})
        watching = asyncio.create_task(watch.keep_watching(HEALTH_INTERVAL, HEALTH_TIMEOUT))
        try:
            yield port
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await health_servicer.enter_graceful_shutdown()
            await server.stop(settings.drain_seconds)
            log.info("gRPC stopped")


@asynccontextmanager
async def _health_apart(servicer: health.aio.HealthServicer, settings: ServiceSettings) -> AsyncIterator[None]:
    """Health on a plaintext port of its own, where one is set; it answers for as long as calls are drained."""
    if settings.health_port is None:
        yield
        return
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = _bind(server, settings.host, settings.health_port, None)
    await server.start()
    log.info("health listening", port=port)
    try:
        yield
    finally:
        await server.stop(0)


def _bind(server: grpc.aio.Server, host: str, port: int, credentials: grpc.ServerCredentials | None) -> int:
    address = f"{host}:{port}"
    try:
        return (
            server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
        )
    except RuntimeError:
        raise SystemExit(
            f"cannot listen on {address}: the port is taken, or the address is not of this machine"
        ) from None
