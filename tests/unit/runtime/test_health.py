"""Health is what the checks say, and each change is logged once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from grpc_health.v1 import health_pb2
from structlog.testing import capture_logs

from services.runtime.errors import Unavailable
from services.runtime.health import HealthWatch, ReadyCheck

NAME = "afin.house.v1.HouseService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
OFTEN = timedelta(milliseconds=1)
PATIENCE = timedelta(milliseconds=20)


@dataclass
class Told:
    """What the health service was told, newest last; `changed` wakes who waits for more."""

    statuses: list[tuple[str, int]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def set(self, service: str, status: int) -> None:
        """As the servicer of grpc_health does."""
        async with self.changed:
            self.statuses.append((service, status))
            self.changed.notify_all()

    async def becomes(self, status: int, times: int = 1) -> None:
        """Waits until the service is told to be `status` so many times more."""
        wanted = self.statuses.count((NAME, status)) + times
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: self.statuses.count((NAME, status)) >= wanted)


@dataclass
class Dependency:
    """Something that a service needs."""

    problem: Exception | None = None
    hangs: bool = False

    async def check(self) -> None:
        """As a service does."""
        if self.hangs:
            await asyncio.Event().wait()
        if self.problem:
            raise self.problem


@asynccontextmanager
async def watched(check: ReadyCheck) -> AsyncIterator[Told]:
    """A watch that looks often."""
    told = Told()
    task = asyncio.create_task(HealthWatch(told, {NAME: check}).keep_watching(OFTEN, PATIENCE))  # type: ignore[arg-type]
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_the_process_lives_whatever_its_dependencies_do() -> None:
    async with watched(Dependency(problem=Unavailable("away")).check) as told:
        await told.becomes(NOT_SERVING)

    assert told.statuses[0] == ("", SERVING)
    assert ("", NOT_SERVING) not in told.statuses


async def test_a_service_that_can_work_serves() -> None:
    async with watched(Dependency().check) as told:
        await told.becomes(SERVING)


@pytest.mark.parametrize("problem", [Unavailable("away"), OSError("refused"), ZeroDivisionError("a bug")])
async def test_whatever_a_check_raises_the_service_does_not_serve(problem: Exception) -> None:
    async with watched(Dependency(problem).check) as told:
        await told.becomes(NOT_SERVING)


async def test_a_check_that_hangs_is_a_check_that_fails() -> None:
    async with watched(Dependency(hangs=True).check) as told:
        await told.becomes(NOT_SERVING)


async def test_a_dependency_that_comes_back_makes_its_service_serve_again() -> None:
    dependency = Dependency(problem=Unavailable("away"))
    async with watched(dependency.check) as told:
        await told.becomes(NOT_SERVING)
        dependency.problem = None
        await told.becomes(SERVING)


async def test_each_change_is_logged_once_with_what_is_wrong() -> None:
    dependency = Dependency(problem=Unavailable("the store is away; start it"))
    with capture_logs() as logs:
        async with watched(dependency.check) as told:
            await told.becomes(NOT_SERVING, times=5)
            dependency.problem = None
            await told.becomes(SERVING, times=5)

    changes = [(entry["ready"], entry["problem"]) for entry in logs if entry["event"] == "health changed"]
    assert changes == [(False, "the store is away; start it"), (True, None)]


async def test_the_text_of_a_foreign_error_is_not_logged() -> None:
    with capture_logs() as logs:
        async with watched(Dependency(OSError("postgresql://user:password@host")).check) as told:
            await told.becomes(NOT_SERVING)

    assert [entry["problem"] for entry in logs] == ["OSError"]
