"""Keeps the newest sound index in service: looks again and again, and swaps one reference when there is a newer one.

Whatever is wrong with the store or with a bundle, the index in service stays.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import structlog

from services.recommender.domain.in_service import InService
from services.recommender.domain.overlay import Overlay
from services.recommender.domain.snapshot import Snapshot
from services.recommender.metrics import RELOADS, show_in_service, show_overlay
from services.recommender.overlays import NoOverlays, OverlaySource, renewed
from services.recommender.search import Look, Search
from services.runtime.errors import ServiceError, Unavailable

NOT_LOOKED = "no index is loaded yet; the first look at the object store is under way"
NOT_PUBLISHED = "no index is published yet; run the pipeline recommendations"
FAILED = "no index is loaded: looking for one failed; the service's log tells more"

PATIENCE = timedelta(seconds=5)

log = structlog.get_logger(__name__)


class NoIndex(Unavailable):
    """Nothing is loaded, so nothing can be answered; the message says why."""

    reason = "NO_INDEX"


class SnapshotKeeper:
    """Owns the snapshot in service and the task that renews it from `published`, or at first from `cached`."""

    def __init__(
        self,
        published: Search,
        cached: Search,
        interval: timedelta,
        patience: timedelta = PATIENCE,
        *,
        overlays: OverlaySource | None = None,
    ) -> None:
        """`patience`: how long the store may take before the cache is served, or before the end leaves it behind."""
        self._published = published
        self._cached = cached
        self._interval = interval
        self._patience = patience
        self._overlays = overlays or NoOverlays()
        self._present: InService | None = None
        self._absence = NOT_LOOKED
        self._source_problem: str | None = None
        self._asked = asyncio.Event()
        self._looked = asyncio.Event()
        # Of the look that has not begun yet. It belongs to the running loop.
        self._next: asyncio.Future[Look] = asyncio.get_running_loop().create_future()
        self._working: set[asyncio.Future[Any]] = set()
        # Of each source of overlays, the last look.
        self._overlaying: dict[Any, asyncio.Future[Any]] = {}

    @property
    def current(self) -> InService:
        """What is in service; take it once a request. NoIndex while there is nothing."""
        if self._present is None:
            raise NoIndex(self._absence)
        return self._present

    async def check_ready(self) -> None:
        """Raises NoIndex while no request can be answered."""
        _ = self.current

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Looks at once, then every interval, and whenever `reload` asks, for as long as the context is open."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            working: set[asyncio.Future[Any]] = {task, *self._working}
            await asyncio.wait(working, timeout=self._patience.total_seconds())

    async def first_look(self, patience: timedelta) -> None:
        """Waits until something is in service, or the first look came to nothing; no longer than `patience`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                await self._looked.wait()

    async def reload(self) -> bool:
        """Looks now; True when a newer index was taken. Calls at the same time share one look that began after them.

        Raises what stood in the way: Unavailable when the store or the disk fails, IndexRefused.
        """
        self._asked.set()
        look = await asyncio.shield(self._next)
        if look.problem and not look.taken:
            raise look.problem
        return look.taken is not None

    async def _keep(self) -> None:
        while True:
            this, self._next = self._next, asyncio.get_running_loop().create_future()
            impatient = self._asked.is_set()
            self._asked.clear()
            this.set_result(await self._look(impatient=impatient))
            self._looked.set()
            try:
                async with asyncio.timeout(self._interval.total_seconds()):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def _look(self, *, impatient: bool) -> Look:
        """Never fails: a bug is told to the log and to who asked, and we go on serving and looking."""
        try:
            look = await self._newest(impatient=impatient)
        except Exception as error:
            log.exception("look for an index failed by a bug")
            look = Look(problem=error)
        RELOADS.labels(look.outcome).inc()
        self._note_source(look)
        self._absence = _absence(look.problem)
        await self._renew(look.taken)
        return look

    async def _newest(self, *, impatient: bool) -> Look:
        published = self._begin(self._published, impatient=impatient)
        if self._present is None:
            await asyncio.wait([published], timeout=self._patience.total_seconds())
            if not published.done() and (cached := await self._cached_look(impatient=impatient)).taken:
                self._take(await self._with_overlays(cached.taken, self._overlays.cached) or cached.taken)
        try:
            look = await asyncio.shield(published)
        except Unavailable as error:
            cached = Look() if self._present else await self._cached_look(impatient=impatient)
            return Look(cached.taken, error)
        overtaken = look.taken and self._present and not _is_better(look.taken, self._present)
        return Look(problem=look.problem) if overtaken else look

    async def _renew(self, taken: InService | None) -> None:
        """Takes an index, or the one in service again, with what is newer than it; the store may be away."""
        index = taken or self._present
        if index is None:
            return
        newer = await self._with_overlays(index, self._overlays.published)
        newer = newer or await self._with_overlays(index, self._overlays.cached) or index
        if taken:
            self._take(newer)
        elif newer is not index:
            self._present = newer
            show_overlay(newer)
            fresh = newer.main.fresh
            log.info("fresh histories taken", clients=len(fresh.clients.keys), barred_companies=len(fresh.barred))

    async def _with_overlays(self, index: InService, newest: Callable[[Snapshot], Overlay]) -> InService | None:
        """None where store or disk fail, or take too long: then nobody looks there again until they have answered."""
        last = self._overlaying.get(newest)
        if last and not last.done():
            return None
        work = asyncio.get_running_loop().run_in_executor(None, lambda: renewed(index, newest))
        self._overlaying[newest] = work
        self._working.add(work)
        work.add_done_callback(self._end)
        await asyncio.wait([work], timeout=self._patience.total_seconds())
        if not work.done():
            return None
        try:
            return work.result()
        except Unavailable:  # the look for an index has told it
            return None
        except Exception:
            log.exception("look for fresh histories failed by a bug")
            return None

    async def _cached_look(self, *, impatient: bool) -> Look:
        return await asyncio.shield(self._begin(self._cached, impatient=impatient))

    def _begin(self, search: Search, *, impatient: bool) -> "asyncio.Future[Look]":
        present = self._present
        look = asyncio.get_running_loop().run_in_executor(None, lambda: search.newest(present, impatient=impatient))
        self._working.add(look)
        look.add_done_callback(self._end)
        return look

    def _end(self, look: "asyncio.Future[Any]") -> None:
        self._working.discard(look)
        if not look.cancelled():
            look.exception()  # seen: at the end of the process nobody else may look

    def _note_source(self, look: Look) -> None:
        """That the store or the disk fails is logged once, and once that it is back; not every look."""
        problem = look.problem.message if isinstance(look.problem, Unavailable) else None
        if problem != self._source_problem:
            log.warning("index source changed", available=problem is None, problem=problem)
            self._source_problem = problem

    def _take(self, index: InService) -> None:
        self._present = index
        self._looked.set()
        show_in_service(index)
        show_overlay(index)
        challenger = index.challenger.publication.version if index.challenger else None
        log.info(
            "index taken into service",
            epoch=index.epoch,
            version=index.main.publication.version,
            challenger=challenger,
            challenger_problem=index.problem or None,
        )


def _is_better(index: InService, present: InService) -> bool:
    """Newer, or the same with a challenger that was missing."""
    return index.epoch > present.epoch or (index.epoch == present.epoch and bool(present.problem) > bool(index.problem))


def _absence(problem: Exception | None) -> str:
    """What a caller is told while nothing is loaded; of a bug nothing but that there is one."""
    if problem is None:
        return NOT_PUBLISHED
    return problem.message if isinstance(problem, ServiceError) else FAILED
