"""The health service of an asyncio server: Check is a look into a dict, a Watch holds a little memory until it ends.

(That of grpcio-health-checking keeps a lock while it writes to a watcher: one that reads nothing stops health for all.)
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.runtime.health import UNTOLD, Statuses, too_many_watches

Answer = health_pb2.HealthCheckResponse


class AioHealth(health_pb2_grpc.HealthServicer):
    """See https://github.com/grpc/grpc/blob/master/doc/health-checking.md. `most`: watches at once, of all callers."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._statuses = Statuses()
        # Set, and followed by another, at each change.
        self._changed = asyncio.Event()
        self.watches = 0

    async def set(self, service: str, status: int) -> None:
        """What is told of a service from now on."""
        if self._statuses.set(service, status):
            self._tell()

    async def leave(self) -> None:
        """Tells NOT_SERVING of every service, for good."""
        self._statuses.leave()
        self._tell()

    async def end_watches(self) -> None:
        """Those there are, and those that come, when they have been told."""
        self._statuses.over = True
        self._tell()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> Answer:  # noqa: N802
        """See the proto."""
        status = self._statuses.known(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return Answer(status=status)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> AsyncIterator[Answer]:  # noqa: N802
        """See the proto."""
        if self.watches >= self._most:
            await context.abort(*too_many_watches())
        self.watches += 1
        try:
            told = UNTOLD
            while True:
                changed, over = self._changed, self._statuses.over
                status = self._statuses.watched(request.service)
                if status != told:
                    told = status
                    yield Answer(status=status)
                if over:
                    return
                await changed.wait()
        finally:
            self.watches -= 1

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
