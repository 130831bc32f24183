"""Takes feedback: what is sound is answered once it lies in the lake, and many callers share one object.

A write begins a moment after the first batch came for it, and takes what has come meanwhile; the next batches gather
while it is under way. What was not answered may be told again: whoever reads the lake counts it once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from services.ingest.domain.feedback import FeedbackEvent, RefusedEvent, ToldEvent, sorted_out
from services.ingest.workflow.metrics import FEEDBACK_EVENTS, FEEDBACK_REFUSED
from services.runtime.clock import Clock
from services.runtime.errors import ResourceExhausted

GATHERING = timedelta(milliseconds=200)
# That many wait for no others. About 400 bytes each while they wait, so 40 MB of them at most.
FULL_GROUP = 20_000
MOST_WAITING = 100_000
RETRY_AFTER = timedelta(seconds=1)

log = structlog.get_logger(__name__)


class FeedbackLake(Protocol):
    """Where events are kept."""

    async def store(self, events: Sequence[FeedbackEvent]) -> None:
        """Writes events; when it returns they are there for good. Unavailable if the store fails."""


@dataclass(slots=True)
class _Group:
    """Events for one write; `written`: what stood in its way, or None, once it is over."""

    events: list[FeedbackEvent] = field(default_factory=list)
    written: "asyncio.Future[Exception | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Feedback:
    """Takes batches, from any number of callers, while `keep_writing` runs."""

    def __init__(
        self, lake: FeedbackLake, clock: Clock, gathering: timedelta = GATHERING, most_waiting: int = MOST_WAITING
    ) -> None:
        self._lake = lake
        self._clock = clock
        self._gathering = gathering
        self._most_waiting = most_waiting
        self._group = _Group()
        self._waiting = 0
        self._begun, self._full = asyncio.Event(), asyncio.Event()

    async def record(self, told: list[ToldEvent]) -> tuple[int, list[RefusedEvent]]:
        """How many are in the lake now, and which were refused. ResourceExhausted when too many wait to be written."""
        sound, refused = sorted_out(told, self._clock())
        if sound:
            await self._write(sound)
        for event in sound:
            FEEDBACK_EVENTS.labels(event.kind, event.origin.role).inc()
        for each in refused:
            FEEDBACK_REFUSED.labels(each.field).inc()
        return len(sound), refused

    async def keep_writing(self) -> None:
        """Writes group after group until cancelled."""
        while True:
            await self._begun.wait()
            try:
                async with asyncio.timeout(self._gathering.total_seconds()):
                    await self._full.wait()
            except TimeoutError:
                pass
            group, self._group = self._group, _Group()
            self._begun.clear()
            self._full.clear()
            await self._write_group(group)

    async def _write(self, events: list[FeedbackEvent]) -> None:
        if self._waiting + len(events) > self._most_waiting:
            raise ResourceExhausted("more feedback waits to be written than may; send it again later", RETRY_AFTER)
        group = self._group
        group.events.extend(events)
        self._waiting += len(events)
        self._begun.set()
        if len(group.events) >= FULL_GROUP:
            self._full.set()
        # Others wait for it, too: a caller that goes away must not cancel it.
        problem = await asyncio.shield(group.written)
        if problem:
            raise problem

    async def _write_group(self, group: _Group) -> None:
        problem: Exception | None = None
        try:
            await self._lake.store(group.events)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            problem = error
        self._waiting -= len(group.events)
        group.written.set_result(problem)
