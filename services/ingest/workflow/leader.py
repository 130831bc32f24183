"""What the leader does while it leads: starts active runs, and creates those that are due by schedule."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from services.ingest.workflow import metrics
from services.ingest.workflow.errors import RunLost
from services.ingest.workflow.executor import Executor
from services.ingest.workflow.ports import WorkTable
from services.ingest.workflow.scheduling import Scheduling, Timer
from services.runtime.errors import Unavailable

# Before a run that met a bug of ours is taken up again.
BUG_PAUSE = timedelta(seconds=30)
POLL_INTERVAL = timedelta(seconds=0.5)

log = structlog.get_logger(__name__)


class Leader:
    """Works in one process at a time: whoever holds the leadership calls `lead`."""

    def __init__(self, runs: WorkTable, executor: Executor, scheduling: Scheduling, timer: Timer) -> None:
        self._runs = runs
        self._executor = executor
        self._scheduling = scheduling
        self._timer = timer
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Has the leader look for work now instead of at its next regular look. Harmless in a process that is none."""
        self._wake.set()

    async def lead(self) -> None:
        """Works until cancelled; then its runs are interrupted and stay `running`, for whoever leads next."""
        await self._recall_successes()
        try:
            async with self._scheduling.running(self._timer, self.wake):
                while True:
                    self._wake.clear()
                    await self._look()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_INTERVAL.total_seconds()):
                            await self._wake.wait()
        finally:
            await self._interrupt()

    async def _look(self) -> None:
        await self._scheduling.catch_up()
        for run_id in await self._runs.active():
            if run_id not in self._tasks:
                self._tasks[run_id] = asyncio.create_task(self._work_on(run_id))

    async def _work_on(self, run_id: UUID) -> None:
        try:
            await self._executor.execute(run_id)
        except RunLost:
            log.warning("run lost to another leader", run_id=str(run_id))
        except Unavailable as error:
            log.warning("run interrupted", run_id=str(run_id), error=error.message)
        except Exception:
            log.exception("run interrupted by a bug", run_id=str(run_id))
            await asyncio.sleep(BUG_PAUSE.total_seconds())
        finally:
            del self._tasks[run_id]
            self.wake()

    async def _interrupt(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _recall_successes(self) -> None:
        for pipeline, moment in (await self._runs.last_successes()).items():
            metrics.LAST_SUCCESS.labels(pipeline).set(moment.timestamp())
