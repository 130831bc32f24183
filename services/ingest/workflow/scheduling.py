"""Runs by schedule: a missed time runs once, not many times, and not never.

The truth is the table of schedules; a timer only says when to look at it.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import uuid4

import structlog

from services.ingest.domain.runs import Pipeline, Schedule, Trigger
from services.ingest.domain.schedule import latest_due
from services.ingest.workflow.pipelines import step_names
from services.ingest.workflow.ports import Cron, ScheduleTable
from services.ingest.workflow.values import Due, NewRun
from services.runtime.clock import Clock

log = structlog.get_logger(__name__)


class Timer(Protocol):
    """Calls back at the times of cron expressions."""

    def __call__(self, crons: Iterable[str], fire: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Works while the context is open."""


class Scheduling:
    """The leader's part in schedules: `crons` are those of the settings, which replace the table's."""

    def __init__(self, table: ScheduleTable, crons: dict[Pipeline, str], cron: Cron, clock: Clock) -> None:
        self._table = table
        self._crons = crons
        self._cron = cron
        self._clock = clock
        self._must_look = True

    @asynccontextmanager
    async def running(self, timer: Timer, wake: Callable[[], None]) -> AsyncIterator[None]:
        """While open, each scheduled time makes `catch_up` look, and wakes whoever calls it."""

        def fire() -> None:
            self.look_again()
            wake()

        await self._table.put(self._crons)
        self.look_again()
        async with timer(self._crons.values(), fire):
            yield

    def look_again(self) -> None:
        """A time has come."""
        self._must_look = True

    async def catch_up(self) -> None:
        """Creates a run for each schedule whose time has come; for the latest of its missed times.

        A time whose pipeline is at work stays due: the next call looks again.
        """
        if not self._must_look:
            return
        # First: a time that comes while we look is for the next look.
        self._must_look = False
        now, blocked = self._clock(), False
        for pipeline in self._crons:
            due = await self._table.catch_up(pipeline, partial(self._due, now), partial(scheduled_run, pipeline))
            blocked = blocked or due is Due.BLOCKED
            if due is Due.CREATED:
                log.info("run scheduled", pipeline=pipeline.value)
        self._must_look = self._must_look or blocked

    def _due(self, now: datetime, schedule: Schedule) -> datetime | None:
        if schedule.paused or schedule.last_time is None:
            return None
        return latest_due(partial(self._cron, schedule.cron), schedule.last_time, now)


class Schedules:
    """Schedules as callers see them, each with its next time; None while it is paused."""

    def __init__(self, table: ScheduleTable, cron: Cron, clock: Clock) -> None:
        self._table = table
        self._cron = cron
        self._clock = clock

    async def all(self) -> list[tuple[Schedule, datetime | None]]:
        """All of them, by pipeline."""
        return [self._with_next(schedule) for schedule in await self._table.all()]

    async def set_paused(self, pipeline: Pipeline, *, paused: bool) -> tuple[Schedule, datetime | None]:
        """Pauses or resumes; a resumed schedule fires from its next time on, not for what the pause left out."""
        return self._with_next(await self._table.set_paused(pipeline, paused=paused))

    def _with_next(self, schedule: Schedule) -> tuple[Schedule, datetime | None]:
        return schedule, None if schedule.paused else self._cron(schedule.cron, self._clock())


def scheduled_run(pipeline: Pipeline, logical_time: datetime) -> NewRun:
    """The run that stands for a scheduled time."""
    return NewRun(uuid4(), pipeline, Trigger.SCHEDULE, logical_time, None, step_names(pipeline))
