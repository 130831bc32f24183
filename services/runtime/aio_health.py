"""The health service of an asyncio server: Check is a look into a dict, a Watch holds a little memory until it ends.

(That of grpcio-health-checking keeps a lock while it writes to a watcher: one that reads nothing stops health for all.)
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.runtime.calls import refusal
from services.runtime.errors import overloaded
from services.runtime.health import UNTOLD, Statuses

# At once, of all callers. Nobody is asked for a key here.
MOST_WATCHES = 64

Answer = health_pb2.HealthCheckResponse


class AioHealth(health_pb2_grpc.HealthServicer):
    """See https://github.com/grpc/grpc/blob/master/doc/health-checking.md."""

    def __init__(self) -> None:
        self._statuses = Statuses()
        # Set, and followed by another, at each change.
        self._changed = asyncio.Event()
        self._watches = 0

    async def set(self, service: str, status: int) -> None:
        """What is told of a service from now on."""
        if self._statuses.set(service, status):
            self._tell()

    async def enter_graceful_shutdown(self) -> None:
        """Tells NOT_SERVING of every service, for good, and ends the watches with it."""
        self._statuses.leave()
        self._tell()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> Answer:  # noqa: N802
        """See the proto."""
        status = self._statuses.known(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return Answer(status=status)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> AsyncIterator[Answer]:  # noqa: N802
        """See the proto."""
        if self._watches >= MOST_WATCHES:
            error = overloaded()
            await context.abort(error.code, error.message, refusal(error))
        self._watches += 1
        try:
            told = UNTOLD
            while True:
                changed, leaving = self._changed, self._statuses.leaving
                status = self._statuses.watched(request.service)
                if status != told:
                    told = status
                    yield Answer(status=status)
                if leaving:
                    return
                await changed.wait()
        finally:
            self._watches -= 1

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
