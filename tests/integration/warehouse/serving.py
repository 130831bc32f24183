"""The service as its process runs it, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr

from services.runtime.channels import open_channel
from services.warehouse.__main__ import start
from services.warehouse.servicer import FULL_NAME
from services.warehouse.settings import WarehouseSettings

PATIENCE = 30
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def serving(database_url: str, objects: Path, connections: int = 5) -> AsyncIterator[grpc.aio.Channel]:
    """The service as its process runs it, and a channel to it; stopped in order at the end."""
    settings = WarehouseSettings(
        port=_free_port(),
        database_url=SecretStr(database_url),
        object_store_url=objects.as_uri(),
        database_connections=connections,
        drain_seconds=5,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(start(settings, stop))
    try:
        async with open_channel(f"127.0.0.1:{settings.port}") as channel:
            yield channel
    finally:
        stop.set()
        await asyncio.wait_for(running, PATIENCE)


async def health(channel: grpc.aio.Channel, wanted: int) -> None:
    """Waits until the service tells this of itself."""
    request = health_pb2.HealthCheckRequest(service=FULL_NAME)
    stub: Any = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(request, wait_for_ready=True, timeout=PATIENCE)
    async for answer in watch:
        if answer.status == wanted:
            watch.cancel()
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
