"""Runs as they change. However many watch a run, one task looks at the table for all of them: connections are few."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

from services.ingest.domain.runs import Run
from services.ingest.workflow.ports import RunTable
from services.runtime.errors import ResourceExhausted, Unavailable

WATCH_INTERVAL = timedelta(seconds=0.2)
# Streams at once: of all, a fifth of the calls that a server has room for; of one caller.
MOST_WATCHERS, MOST_OF_ONE = 200, 20
RETRY_AFTER = timedelta(seconds=5)


class RunWatch:
    """What watchers ask. `stop`: the process ends, and with it whoever follows a run."""

    def __init__(self, runs: RunTable, stop: asyncio.Event) -> None:
        self._runs = runs
        self._stop = stop
        self._looks: dict[UUID, _Look] = {}
        self._held: Counter[str] = Counter()

    async def follow(self, run_id: UUID, by: str) -> AsyncGenerator[Run, None]:
        """The run now and then at each change, until it has ended. Unavailable when the process stops before that.

        Looks at the table, so that any replica can follow what the leader does. `by`: who watches; ResourceExhausted
        where they, or all together, watch as much as they may.
        """
        seen: Run | None = None
        async with self._counted(by), self._looking_at(run_id) as look:
            while seen is None or seen.state.is_active:
                seen = await look.other_than(seen)
                yield seen

    @asynccontextmanager
    async def _counted(self, by: str) -> AsyncIterator[None]:
        if self._held[by] >= MOST_OF_ONE or self._held.total() >= MOST_WATCHERS:
            raise ResourceExhausted(
                f"as many runs are watched as may be ({MOST_OF_ONE} by one caller, {MOST_WATCHERS} in all); "
                "end other WatchRun calls, or ask GetRun now and then",
                RETRY_AFTER,
            )
        self._held[by] += 1
        try:
            yield
        finally:
            self._held[by] -= 1
            if not self._held[by]:
                del self._held[by]

    @asynccontextmanager
    async def _looking_at(self, run_id: UUID) -> AsyncIterator["_Look"]:
        """The look at a run that others share already, or a new one; ended with the last who leaves."""
        look = self._looks.get(run_id)
        if look is None or look.is_over:
            # A run that had ended may be queued again: a look that is over knows nothing of it.
            look = self._looks[run_id] = _Look(partial(self._runs.get, run_id), self._stop)
        look.watchers += 1
        try:
            yield look
        finally:
            look.watchers -= 1
            if not look.watchers:
                # First of all: nobody may join a look that is about to end.
                if self._looks.get(run_id) is look:
                    del self._looks[run_id]
                await look.close()


class _Look:
    """Looks at one run again and again, until it has ended."""

    def __init__(self, get: Callable[[], Awaitable[Run]], stop: asyncio.Event) -> None:
        self.watchers = 0
        self._get = get
        self._stop = stop
        self._run: Run | None = None
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._look())

    @property
    def is_over(self) -> bool:
        """Nothing new will come of it."""
        return self._task.done()

    async def other_than(self, seen: Run | None) -> Run:
        """The run as soon as it is not as it was seen; raises whatever ended the look before that."""
        while self._run is None or self._run == seen:
            if self.is_over:
                self._task.result()
            await self._news.wait()
        return self._run

    async def close(self) -> None:
        """Ends it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        try:
            while (await self._found()).state.is_active:
                if self._stop.is_set():
                    raise Unavailable("ingest stops; the run goes on when it is back: watch it again")
                with suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_INTERVAL.total_seconds()):
                        await self._stop.wait()
        finally:
            self._news.set()

    async def _found(self) -> Run:
        run = await self._get()
        if run != self._run:
            self._run = run
            self._news.set()
            self._news = asyncio.Event()
        return run
