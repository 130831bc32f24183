"""When the source is asked again: with jitter, within what a page and a pass may cost, never while it wants rest."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from random import uniform

import structlog

from services.ingest.domain.paging import PageRequest
from services.ingest.workflow.errors import SourceUnavailable
from services.ingest.workflow.values import Page

MAX_WAIT = timedelta(seconds=15)
HINT = "check INGEST_SOURCE_URL and the source"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """`attempts`: times a page is asked for; `retries`: how often pages of one pass are asked for again, in all.

    `first_wait`: before the second attempt; `longest_rest`: so much of what a Retry-After wants is granted.
    """

    attempts: int
    retries: int
    first_wait: timedelta = timedelta(seconds=1)
    longest_rest: timedelta = timedelta(minutes=5)


class Transient(Exception):
    """Asking again may help; says what the source did. `rest`: for how long it wants to be left alone, if it does."""

    def __init__(self, problem: str, rest: timedelta | None = None) -> None:
        super().__init__(problem)
        self.rest = rest


class PatientFetch:
    """The requests of one pass to one path. `ask` raises Transient where asking again may help."""

    def __init__(self, ask: Callable[[PageRequest], Awaitable[Page]], path: str, patience: Patience) -> None:
        self._ask = ask
        self._path = path
        self._patience = patience
        self._retries_left = patience.retries
        self._rest_until = 0.0
        self._busy = False

    async def page(self, request: PageRequest) -> Page:
        """See services.ingest.workflow.ports.Fetch."""
        for attempt in count(1):
            try:
                page = await self._ask_rested(request)
                break
            except Transient as problem:
                if self._retries_left <= 0 or attempt >= self._patience.attempts:
                    asked = f"asked {attempt} times{self._spent()}"
                    raise SourceUnavailable(f"the source {problem} to {self._path}, {asked}; {HINT}") from problem
                self._note(problem, attempt)
            await asyncio.sleep(self._wait_after(attempt))
        busy, self._busy = self._busy, False
        return replace(page, busy=True) if busy else page

    async def _ask_rested(self, request: PageRequest) -> Page:
        """Whoever was told to wait, all requests of the pass do."""
        await asyncio.sleep(max(self._rest_until - asyncio.get_running_loop().time(), 0))
        return await self._ask(request)

    def _spent(self) -> str:
        return f", all {self._patience.retries} of INGEST_PASS_RETRIES used" if self._retries_left <= 0 else ""

    def _wait_after(self, attempt: int) -> float:
        """Seconds: doubled each time up to a cap, and jitter, so that pages that failed together come apart."""
        first_wait = self._patience.first_wait.total_seconds()
        return min(first_wait * 2.0 ** (attempt - 1), MAX_WAIT.total_seconds()) + uniform(0, first_wait)  # noqa: S311

    def _note(self, problem: Transient, attempt: int) -> None:
        self._retries_left -= 1
        if problem.rest is not None:
            self._busy = True
            rest = min(problem.rest, self._patience.longest_rest)
            until = asyncio.get_running_loop().time() + rest.total_seconds()
            self._rest_until = max(self._rest_until, until)
        log.warning("source asked again", attempt=attempt, problem=str(problem))
