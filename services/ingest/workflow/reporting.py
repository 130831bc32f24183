"""Tells Prometheus what stands in the tables of runs and schedules: it must be true after a restart, too."""

import asyncio
from datetime import timedelta
from functools import partial
from math import nan

import structlog

from services.ingest.domain.runs import Pipeline
from services.ingest.domain.schedule import success_due
from services.ingest.workflow import metrics
from services.ingest.workflow.ports import Cron, RunHistory, ScheduleTable
from services.runtime.errors import ServiceError

# No slower than it is usually asked for.
INTERVAL = timedelta(seconds=15)

log = structlog.get_logger(__name__)


class Reporting:
    """What the leader tells while it leads."""

    def __init__(self, runs: RunHistory, schedules: ScheduleTable, cron: Cron) -> None:
        self._runs = runs
        self._schedules = schedules
        self._cron = cron

    async def keep_telling(self) -> None:
        """Until cancelled; then nothing is told any more that only the next leader knows."""
        metrics.LEADING.set(1)
        try:
            while True:
                await self._try_to_tell()
                await asyncio.sleep(INTERVAL.total_seconds())
        finally:
            metrics.LEADING.set(0)
            metrics.DUE.clear()
            metrics.QUARANTINE.clear()

    async def _try_to_tell(self) -> None:
        """While the database is away, what was told before stays; whoever leads without it will not for long."""
        try:
            await self.tell()
        except ServiceError as error:
            log.info("metrics of runs not brought up to date", problem=error.message)
        except Exception:
            log.exception("metrics of runs not brought up to date by a bug")

    async def tell(self) -> None:
        """Brings the metrics up to date. Unavailable."""
        successes = await self._runs.last_successes()
        for pipeline, moment in successes.items():
            metrics.LAST_SUCCESS.labels(pipeline).set(moment.timestamp())
        for schedule in await self._schedules.all():
            due = success_due(partial(self._cron, schedule.cron), schedule, successes.get(schedule.pipeline))
            metrics.DUE.labels(schedule.pipeline).set(due.timestamp() if due else nan)
        refused = await self._runs.open_quarantine()
        for pipeline in Pipeline:
            metrics.QUARANTINE.labels(pipeline).set(refused.get(pipeline, 0))
