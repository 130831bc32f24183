"""The health service of a thread server: Check is a look into a dict, a Watch holds a thread until it ends.

(That of grpcio-health-checking keeps its watchers when the server drains, and these would use up the time for it.)
"""

import threading
from collections.abc import Iterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.runtime.health import UNTOLD, Statuses

Answer = health_pb2.HealthCheckResponse


class ThreadHealth(health_pb2_grpc.HealthServicer):
    """See https://github.com/grpc/grpc/blob/master/doc/health-checking.md."""

    def __init__(self) -> None:
        self._statuses = Statuses()
        self._changed = threading.Condition()

    async def set(self, service: str, status: int) -> None:
        """What is told of a service from now on."""
        with self._changed:
            if self._statuses.set(service, status):
                self._changed.notify_all()

    async def enter_graceful_shutdown(self) -> None:
        """Tells NOT_SERVING of every service, for good, and ends the watches with it."""
        with self._changed:
            self._statuses.leave()
            self._changed.notify_all()

    def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> Answer:  # noqa: N802
        """See the proto."""
        status = self._statuses.known(request.service)
        if status is None:
            context.set_code(grpc.StatusCode.NOT_FOUND)
            return Answer()
        return Answer(status=status)

    def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> Iterator[Answer]:  # noqa: N802
        """See the proto."""
        told = UNTOLD
        context.add_callback(self._wake)
        while context.is_active():
            with self._changed:
                while context.is_active() and not self._news(request.service, told):
                    self._changed.wait()
                status, leaving = self._statuses.watched(request.service), self._statuses.leaving
            if status != told:
                told = status
                yield Answer(status=status)
            if leaving:
                return

    def _news(self, service: str, told: int) -> bool:
        return self._statuses.leaving or self._statuses.watched(service) != told

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
