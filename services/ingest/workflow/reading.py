"""One pass over the source: page by page into the lake, the next pages on their way while one is looked through."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Protocol

from services.ingest.domain.pace import Pace
from services.ingest.domain.paging import PageIdentity, Pager, PagingError
from services.ingest.domain.rows import SourceRow
from services.ingest.domain.validation import CompanyRow, PaymentRow, Sifted
from services.ingest.workflow.ahead import pages_in_order
from services.ingest.workflow.errors import SourceRefuses, SourceUnavailable
from services.ingest.workflow.ports import Fetch, Lake, LakeWriter
from services.ingest.workflow.steps import Progress, ReadRules
from services.ingest.workflow.values import Page, PassFacts, Place, StoredManifest

AnySifted = Sifted[PaymentRow] | Sifted[CompanyRow]


class Awaited(Protocol):
    """Whether a pass that began at `start` (the source's clock) has to see a row before it may end."""

    def __call__(self, row: SourceRow, start: datetime) -> bool:
        """True for a row that was there when the pass began."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What is read and where to.

    `sift(rows, source_time, first_position)` sorts good rows from bad ones; `begin(source_time)` may refuse to go on.
    """

    place: Place
    attempt: int
    since: date | None
    fetch: Fetch
    sift: Callable[[Sequence[SourceRow], datetime, int], AnySifted]
    begin: Callable[[datetime], None]
    is_awaited: Awaited


async def read_into_lake(one: Pass, lake: Lake, rules: ReadRules, progress: Progress) -> StoredManifest:
    """Reads the whole set and stores it; the manifest that an earlier attempt stored, if there is one."""
    found = await lake.find(one.place)
    if found is not None:
        progress.say("took the manifest of an earlier attempt")
        return found
    writer = lake.writer(one.place, one.attempt)
    try:
        async with asyncio.timeout(rules.timeout.total_seconds()):
            facts = await _read(one, writer, rules, progress)
    except TimeoutError as error:
        raise SourceUnavailable(f"the source was not read within {rules.timeout}; see INGEST_PASS_TIMEOUT") from error
    except PagingError as error:
        raise SourceRefuses(f"{error}; check INGEST_SOURCE_URL, INGEST_PAGE_LIMIT and INGEST_MAX_REQUESTS") from error
    return await writer.finish(facts)


async def _read(one: Pass, writer: LakeWriter, rules: ReadRules, progress: Progress) -> PassFacts:
    tally = _Tally()

    def identify(page: Page) -> PageIdentity:
        if tally.source_time is None:
            tally.source_time = page.source_time
            one.begin(page.source_time)
        return _identity(page.rows, partial(one.is_awaited, start=tally.source_time))

    pager, pace = Pager(rules.page_limit, rules.max_requests), Pace(rules.pages_in_flight)
    async with aclosing(pages_in_order(one.fetch, pager, pace, identify)) as pages:
        async for page, new in pages:
            rows = [page.rows[row] for row in new]
            sifted = await asyncio.to_thread(one.sift, rows, page.source_time, tally.place)
            await writer.write(sifted)
            tally.add(sifted)
            progress.count(**tally.counts())
            progress.say(f"{tally.read} rows in {tally.pages} pages")
    if tally.source_time is None:
        raise RuntimeError("a pass has at least one page")
    return PassFacts(one.since, tally.source_time, tally.newest)


def _identity(rows: Sequence[SourceRow], is_awaited: Callable[[SourceRow], bool]) -> PageIdentity:
    return PageIdentity(
        groups=[row.group for row in rows],
        fingerprints=[row.fingerprint for row in rows],
        awaited=[is_awaited(row) for row in rows],
    )


class _Tally:
    """What a pass has seen so far."""

    def __init__(self) -> None:
        self.pages = self.read = self.quarantined = self.out_of_range = self.erased = 0
        self.newest: datetime | None = None
        self.source_time: datetime | None = None

    def add(self, sifted: AnySifted) -> None:
        self.pages += 1
        self.read += sifted.read
        self.quarantined += len(sifted.refused)
        self.out_of_range += sifted.out_of_range
        self.erased += sifted.erased
        moments = [row.updated_at for row in sifted.taken if isinstance(row, PaymentRow)]
        self.newest = max([moment for moment in (self.newest, *moments) if moment is not None], default=None)

    @property
    def place(self) -> int:
        """Of the next row: no two rows of a pass have the same."""
        return self.read + self.erased

    def counts(self) -> dict[str, int]:
        counts = {"pages": self.pages, "read": self.read, "quarantined": self.quarantined}
        left_aside = {"out_of_range": self.out_of_range, "erased": self.erased}
        return counts | {name: rows for name, rows in left_aside.items() if rows}
