"""Has the indexer tell recommenders what changed as soon as it did: what clients paid must not wait for the next build.

No run depends on it. Whatever goes wrong, the next look, at most an interval later, finds all that is still untold; so
it does, too, after a restart, a rollback of the index, or a load whose answer was lost.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

import structlog

from services.ingest.workflow import metrics
from services.ingest.workflow.ports import Indexer
from services.runtime.errors import ServiceError

log = structlog.get_logger(__name__)


class Freshness:
    """Asks the indexer, one call at a time."""

    def __init__(self, indexer: Indexer, interval: timedelta) -> None:
        self._indexer = indexer
        self._interval = interval
        self._due = asyncio.Event()
        self._due.set()
        self._problem = ""

    def ask(self) -> None:
        """Something may have changed: asks now, or again when the call under way ends."""
        self._due.set()

    async def keep(self) -> None:
        """Until cancelled: at once, whenever asked, and every interval."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval.total_seconds()):
                    await self._due.wait()
            self._due.clear()
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            await self._indexer.refresh_histories()
        except ServiceError as error:
            self._tell("failed", error.message)
        except Exception:
            log.exception("refreshing histories interrupted by a bug")
            metrics.REFRESHES.labels("failed").inc()
        else:
            self._tell("done", "")

    def _tell(self, outcome: str, problem: str) -> None:
        metrics.REFRESHES.labels(outcome).inc()
        if problem != self._problem:
            log.warning("refreshing histories", available=not problem, problem=problem)
        self._problem = problem
