"""One pass over the source: page by page into the lake, the next pages on their way while one is looked through."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime

from services.contracts.lake import latest
from services.ingest.domain.pace import Pace
from services.ingest.domain.paging import PageIdentity, Pager, PagingError
from services.ingest.domain.sifting import Sifted
from services.ingest.workflow.ahead import pages_in_order
from services.ingest.workflow.errors import SourceRefuses, SourceUnavailable
from services.ingest.workflow.ports import Fetch, Lake, LakeWriter
from services.ingest.workflow.steps import Progress, ReadRules
from services.ingest.workflow.values import Page, PassFacts, Place, StoredManifest


@dataclass(frozen=True, slots=True)
class Pass:
    """What is read and where to.

    `sift(page, kept, first_position)` sorts good rows from bad ones among those at the indices `kept`, which are new;
    `begin(source_time)` may refuse to go on.
    """

    place: Place
    attempt: int
    since: date | None
    fetch: Fetch
    sift: Callable[[Page, Sequence[int], int], Sifted]
    begin: Callable[[datetime], None]


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
        return page.rows.identity(tally.source_time)

    pager, pace = Pager(rules.page_limit, rules.max_requests), Pace(rules.pages_in_flight)
    async with aclosing(pages_in_order(one.fetch, pager, pace, identify)) as pages:
        async for page, new in pages:
            sifted = await asyncio.to_thread(one.sift, page, new, tally.place)
            await writer.write(sifted)
            tally.add(sifted)
            progress.count(**tally.counts())
            progress.say(f"{tally.read} rows in {tally.pages} pages")
    if tally.source_time is None:
        raise RuntimeError("a pass has at least one page")
    return PassFacts(one.since, tally.source_time, tally.newest)


class _Tally:
    """What a pass has seen so far."""

    def __init__(self) -> None:
        self.pages = self.read = self.quarantined = self.out_of_range = self.erased = 0
        self.newest: datetime | None = None
        self.source_time: datetime | None = None

    def add(self, sifted: Sifted) -> None:
        self.pages += 1
        self.read += sifted.read
        self.quarantined += len(sifted.refused)
        self.out_of_range += sifted.out_of_range
        self.erased += sifted.erased
        self.newest = latest(self.newest, sifted.newest)

    @property
    def place(self) -> int:
        """Of the next row: no two rows of a pass have the same."""
        return self.read + self.erased

    def counts(self) -> dict[str, int]:
        counts = {"pages": self.pages, "read": self.read, "quarantined": self.quarantined}
        left_aside = {"out_of_range": self.out_of_range, "erased": self.erased}
        return counts | {name: rows for name, rows in left_aside.items() if rows}
