"""One pass over the source: page by page into the lake, the next pages on their way while one is looked through."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date, datetime

import structlog

from services.contracts.lake import LakeManifest
from services.ingest.domain.pace import Pace
from services.ingest.domain.paging import PageIdentity, Pager, PagerMark, PagingError
from services.ingest.domain.rows import FINGERPRINTS
from services.ingest.domain.sifting import Sifted
from services.ingest.workflow.ahead import pages_in_order
from services.ingest.workflow.checkpoint import Checkpoint, Tally
from services.ingest.workflow.errors import SourceRefuses, SourceUnavailable
from services.ingest.workflow.ports import Fetch, LakeWriter
from services.ingest.workflow.steps import StepContext
from services.ingest.workflow.values import Page, PassFacts, Place, StoredManifest
from services.runtime.errors import Unavailable

SCHEMA_VERSION = LakeManifest.model_fields["schema_version"].default

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """What is read and where to.

    `sift(page, kept, first_position)` sorts good rows from bad ones among those at the indices `kept`, which are new;
    `begin(source_time)` may refuse to go on; `erasures`: the edition of those whose clients are left out.
    """

    place: Place
    erasures: str
    since: date | None
    fetch: Fetch
    sift: Callable[[Page, Sequence[int], int], Awaitable[Sifted]]
    begin: Callable[[datetime], None]

    @property
    def basis(self) -> str:
        """See Checkpoint."""
        return f"schema {SCHEMA_VERSION}, {FINGERPRINTS}, {self.erasures}"


async def read_into_lake(one: Pass, context: StepContext) -> StoredManifest:
    """Reads the whole set and stores it; the manifest that an earlier attempt stored, if there is one."""
    lake, rules = context.tools.lake, context.tools.reading
    found = await lake.find(one.place, one.erasures)
    if found is not None:
        context.progress.say("took the manifest of an earlier attempt")
        return found
    begun = await _last_checkpoint(one, context)
    writer = lake.writer(one.place, context.attempt, begun.stored)
    try:
        async with asyncio.timeout(rules.timeout.total_seconds()):
            tally = await _Reading(one, writer, context).read(begun)
    except TimeoutError as error:
        raise SourceUnavailable(f"the source was not read within {rules.timeout}; see INGEST_PASS_TIMEOUT") from error
    except PagingError as error:
        raise SourceRefuses(f"{error}; check INGEST_SOURCE_URL, INGEST_PAGE_LIMIT and INGEST_MAX_REQUESTS") from error
    if tally.source_time is None:
        raise RuntimeError("a pass has at least one page")
    return await writer.finish(PassFacts(one.since, tally.source_time, tally.newest, one.erasures))


async def _last_checkpoint(one: Pass, context: StepContext) -> Checkpoint:
    """Where an earlier attempt stood; the start, if there is none, or if it is of no use any more."""
    start = Checkpoint(basis=one.basis)
    if not context.checkpoint:
        return start
    kept = Checkpoint.read(context.checkpoint)
    is_useful = kept.basis == one.basis and await context.tools.lake.holds(one.place, kept.stored)
    log.info("pass goes on" if is_useful else "pass begins anew", rows=kept.tally.read, parts=len(kept.stored.rows))
    return kept if is_useful else start


class _Reading:
    """One attempt at a pass."""

    def __init__(self, one: Pass, writer: LakeWriter, context: StepContext) -> None:
        self._one = one
        self._writer = writer
        self._context = context
        self._rules = context.tools.reading
        self._tally = Tally()
        self._is_begun = False

    async def read(self, begun: Checkpoint) -> Tally:
        """Reads from there to the end."""
        self._tally, kept = begun.tally, begun.tally.seen
        pager = Pager(self._rules.page_limit, self._rules.max_requests, begun.mark)
        pace = Pace(self._rules.pages_in_flight)
        async with aclosing(pages_in_order(self._one.fetch, pager, pace, self._identify)) as pages:
            async for page, new in pages:
                await self._take(page, new)
                if self._tally.seen - kept >= self._rules.checkpoint_rows:
                    kept = self._tally.seen
                    await self._keep(pager.mark)
        return self._tally

    def _identify(self, page: Page) -> PageIdentity:
        if not self._is_begun:
            self._is_begun = True
            self._one.begin(page.source_time)
        if self._tally.source_time is None:
            self._tally = replace(self._tally, source_time=page.source_time)
        return page.rows.identity(self._tally.source_time or page.source_time)

    async def _take(self, page: Page, new: Sequence[int]) -> None:
        sifted = await self._one.sift(page, new, self._tally.place)
        await self._writer.write(sifted)
        self._tally = self._tally.plus(sifted)
        self._context.progress.count(**self._tally.counts())
        self._context.progress.say(f"{self._tally.read} rows in {self._tally.pages} pages")

    async def _keep(self, mark: PagerMark) -> None:
        stored = await self._writer.store()
        checkpoint = Checkpoint(basis=self._one.basis, mark=mark, stored=stored, tally=self._tally)
        try:
            await self._context.keep(checkpoint.to_json())
        except Unavailable as error:
            # The one before it still holds.
            log.warning("place of a pass not kept", error=error.message)
