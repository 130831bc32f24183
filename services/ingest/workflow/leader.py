"""What the leader does while it leads: starts active runs, and creates those that are due by schedule."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from services.ingest.domain.order import workable
from services.ingest.workflow.errors import LeadershipLost
from services.ingest.workflow.executor import Executor
from services.ingest.workflow.ports import WorkTable
from services.ingest.workflow.scheduling import Scheduling, Timer
from services.runtime.errors import Unavailable

# Before a run that met a bug of ours is taken up again.
BUG_PAUSE = timedelta(seconds=30)
POLL_INTERVAL = timedelta(seconds=0.5)

log = structlog.get_logger(__name__)


class Leader:
    """Works during one leadership. `wake` has it look for work now instead of at its next regular look."""

    def __init__(
        self, runs: WorkTable, executor: Executor, scheduling: Scheduling, timer: Timer, wake: asyncio.Event
    ) -> None:
        self._runs = runs
        self._executor = executor
        self._scheduling = scheduling
        self._timer = timer
        self._wake = wake
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._is_over = False

    async def lead(self) -> None:
        """Works until cancelled, or until another leads; its runs stay `running`, for whoever leads next."""
        try:
            async with self._scheduling.running(self._timer, self._wake.set):
                while not self._is_over:
                    self._wake.clear()
                    await self._look()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_INTERVAL.total_seconds()):
                            await self._wake.wait()
        finally:
            await self._interrupt()

    async def _look(self) -> None:
        await self._scheduling.catch_up()
        for run_id in workable(await self._runs.active(), self._tasks.keys()):
            if run_id not in self._tasks:
                self._tasks[run_id] = asyncio.create_task(self._work_on(run_id))

    async def _work_on(self, run_id: UUID) -> None:
        try:
            await self._executor.execute(run_id)
        except LeadershipLost:
            log.warning("run lost to another leader", run_id=str(run_id))
            self._is_over = True
        except Unavailable as error:
            log.warning("run interrupted", run_id=str(run_id), error=error.message)
        except Exception:
            log.exception("run interrupted by a bug", run_id=str(run_id))
            await asyncio.sleep(BUG_PAUSE.total_seconds())
        finally:
            del self._tasks[run_id]
            self._wake.set()

    async def _interrupt(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
