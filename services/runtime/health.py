"""Honest health: `""` means that the process lives, a service's full name that it can do its work.

A dependency that fails or does not answer in time makes its service NOT_SERVING; each change is logged once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import grpc
import structlog
from grpc_health.v1 import health_pb2
from prometheus_client import Gauge

from services.runtime.errors import ServiceError

ReadyCheck = Callable[[], Awaitable[None]]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
# No status has this number.
UNTOLD = -1
READY = Gauge(
    "afin_ready",
    "1 while the service can do its work.",
    ["grpc_service"],
    multiprocess_mode="livemin",
)

log = structlog.get_logger(__name__)


class Statuses:
    """What is told of each service. Nothing waits in here: the health service of each kind of server does."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {"": SERVING}
        self.leaving = False
        # Watches end when they have been told.
        self.over = False

    def known(self, service: str) -> int | None:
        """What a Check tells; None for a service that nobody has spoken of."""
        return self._of.get(service)

    def watched(self, service: str) -> int:
        """What a Watch tells."""
        return self._of.get(service, SERVICE_UNKNOWN)

    def set(self, service: str, status: int) -> bool:
        """What is told from now on; False when nothing changes by it, as always after `leave`."""
        changes = not self.leaving and self._of.get(service) != status
        if changes:
            self._of[service] = status
        return changes

    def leave(self) -> None:
        """NOT_SERVING of every service, for good."""
        self.leaving = True
        self._of = dict.fromkeys(self._of, NOT_SERVING)


def too_many_watches() -> tuple[grpc.StatusCode, str]:
    """What a watch beyond the limit ends with. A client takes a server that says so for one that serves (gRFC A17)."""
    return grpc.StatusCode.UNIMPLEMENTED, "as many watch health as may; ask Check"


class HealthTeller(Protocol):
    """The health service of either kind of server."""

    async def set(self, service: str, status: int) -> None:
        """What is told of a service from now on."""

    @property
    def watches(self) -> int:
        """How many there are."""

    async def leave(self) -> None:
        """Tells NOT_SERVING of every service, for good."""

    async def end_watches(self) -> None:
        """Those there are, and those that come, when they have been told."""


class HealthWatch:
    """Asks each service's check again and again, and tells the health service what came of it."""

    def __init__(self, servicer: HealthTeller, checks: dict[str, ReadyCheck]) -> None:
        self._servicer = servicer
        self._checks = checks
        self._ready: dict[str, bool] = {}
        for service in checks:
            READY.labels(service).set(0)
        self._running: dict[str, asyncio.Future[None]] = {}

    async def keep_watching(self, interval: timedelta, patience: timedelta) -> None:
        """Runs until cancelled, and then ends the checks that are under way."""
        await self._servicer.set("", SERVING)
        try:
            while True:
                for service, check in self._checks.items():
                    await self._note(service, await self._problem(service, check, patience))
                await asyncio.sleep(interval.total_seconds())
        finally:
            for running in self._running.values():
                running.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _problem(self, service: str, check: ReadyCheck, patience: timedelta) -> str | None:
        # A check that hangs is waited for again, not started beside itself: its threads would use up the pool.
        running = self._running.get(service) or asyncio.ensure_future(check())
        self._running[service] = running
        done, _ = await asyncio.wait({running}, timeout=patience.total_seconds())
        if not done:
            return "no answer in time"
        error = self._running.pop(service).exception()
        return error.message if isinstance(error, ServiceError) else type(error).__name__ if error else None

    async def _note(self, service: str, problem: str | None) -> None:
        ready = problem is None
        if self._ready.get(service) != ready:
            log.info("health changed", grpc_service=service, ready=ready, problem=problem)
            self._ready[service] = ready
            READY.labels(service).set(ready)
        await self._servicer.set(service, SERVING if ready else NOT_SERVING)
