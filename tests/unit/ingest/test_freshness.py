"""Whoever changed something has it told soon; whatever goes wrong, it is told at the next look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

from services.ingest.workflow.freshness import Freshness
from services.ingest.workflow.ports import Indexer
from services.runtime.errors import Unavailable

NEVER, SOON = timedelta(hours=1), timedelta(milliseconds=1)


class FakeIndexer:
    """Counts calls; each takes until it is let go. `problems`: raised by the first calls."""

    def __init__(self, *problems: Exception) -> None:
        self.calls = 0
        self.begun = asyncio.Semaphore(0)
        self.go_on = asyncio.Semaphore(0)
        self._problems = list(problems)

    async def refresh_histories(self) -> None:
        self.calls += 1
        self.begun.release()
        await self.go_on.acquire()
        if self._problems:
            raise self._problems.pop(0)


@asynccontextmanager
async def kept(indexer: FakeIndexer, interval: timedelta) -> AsyncIterator[Freshness]:
    freshness = Freshness(cast("Indexer", indexer), interval)
    task = asyncio.create_task(freshness.keep())
    try:
        async with asyncio.timeout(10):
            yield freshness
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_asks_at_once_when_it_begins() -> None:
    indexer = FakeIndexer()
    async with kept(indexer, NEVER):
        await indexer.begun.acquire()
    assert indexer.calls == 1


async def test_what_is_asked_during_a_call_is_asked_once_more_after_it() -> None:
    indexer = FakeIndexer()
    async with kept(indexer, NEVER) as freshness:
        await indexer.begun.acquire()
        freshness.ask()
        freshness.ask()
        indexer.go_on.release()
        await indexer.begun.acquire()
        indexer.go_on.release()
        await asyncio.sleep(0)
    assert indexer.calls == 2


async def test_it_looks_again_after_each_interval_and_after_every_failure() -> None:
    indexer = FakeIndexer(Unavailable("gone"), RuntimeError("a bug"))
    async with kept(indexer, SOON):
        for _ in range(4):
            await indexer.begun.acquire()
            indexer.go_on.release()
    assert indexer.calls >= 4
