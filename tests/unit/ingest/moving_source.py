"""A source that changes while it is read, and a pass over it that keeps book of what it was given."""

import asyncio
import itertools
import json
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, cast

from services.ingest.domain.pace import Pace
from services.ingest.domain.paging import THE_START, PageIdentity, Pager, PageRequest, PagerMark
from services.ingest.domain.rows import PAYMENT_FIELDS, SourceRow, source_row
from services.ingest.workflow.ahead import pages_in_order
from services.ingest.workflow.checkpoint import Checkpoint
from services.ingest.workflow.values import Page
from tests.unit.ingest.fakes import NOW

Key = tuple[int, int]
MAX_REQUESTS = 150
DOWNTIME = 3
KINDS = ("insert", "insert_first", "append", "update", "delete", "delete_first")


@dataclass(frozen=True)
class Situation:
    """What a pass may meet.

    `codes`: rows that may share an id; `room`: rows a page holds beyond those; `ids`: different ones at the start;
    `asked`: the limit, in pages; `changes`: kind and number, made after each answer, in turn; `in_flight`: pages at
    once; `keeps`: pages after which the pass keeps its place; `breaks`: pages after which it breaks off.
    """

    seed: int
    codes: int
    room: int
    ids: int
    rows: int
    asked: int
    changes: list[tuple[str, int]]
    in_flight: int = 1
    keeps: int = 1
    breaks: frozenset[int] = frozenset()


@dataclass
class MovingSource:
    """Rows by (id, code), each with the moment it was last changed. Rows of one id come in any order, as SQL allows.

    `cap`: rows that an answer holds at most, whatever is asked for; `codes`: rows that may share an id; `ids`: how many
    different ones there are at the start.
    """

    chance: random.Random
    cap: int
    codes: int
    ids: int
    rows: dict[Key, int] = field(default_factory=dict)
    touched: set[Key] = field(default_factory=set)
    clock: int = 0

    def change(self, kind: str, count: int) -> None:
        """So many changes of a kind; see KINDS."""
        for _ in range(count):
            getattr(self, f"_{kind}")()

    def _insert(self) -> None:
        self._put((self.chance.randrange(self.ids), self.chance.randrange(self.codes)))

    def _insert_first(self) -> None:
        self._put((min((key[0] for key in self.rows), default=0) - 1, 0))

    def _append(self) -> None:
        self._put((max((key[0] for key in self.rows), default=0) + 1, 0))

    def _update(self) -> None:
        if self.rows:
            self._put(self.chance.choice(sorted(self.rows)))

    def _delete(self) -> None:
        if self.rows:
            self._remove(self.chance.choice(sorted(self.rows)))

    def _delete_first(self) -> None:
        if self.rows:
            self._remove(min(self.rows))

    def answer(self, request: PageRequest) -> list[SourceRow]:
        """A page, as the set stands at this moment."""
        order = sorted(self.rows, key=lambda key: (key[0], self.chance.random()))
        size = min(request.limit, self.cap)
        return [self._row(key) for key in order[request.offset : request.offset + size]]

    def _remove(self, key: Key) -> None:
        self.touched.add(key)
        del self.rows[key]

    def _put(self, key: Key) -> None:
        self.clock += 1
        self.touched.add(key)
        self.rows[key] = self.clock

    def _row(self, key: Key) -> SourceRow:
        fields: dict[str, Any] = {"id": key[0], "company_code": key[1], "updated_at": self.rows[key]}
        return source_row(fields, "", PAYMENT_FIELDS)


def identity(rows: Sequence[SourceRow], is_awaited: Callable[[SourceRow], bool]) -> PageIdentity:
    """What the pager sees of a page."""
    groups, fingerprints = [row.group for row in rows], [row.fingerprint for row in rows]
    return PageIdentity(groups, fingerprints, [is_awaited(row) for row in rows])


def filled(situation: Situation) -> MovingSource:
    """The source before anybody reads it. A page can hold all rows of one id and two more."""
    chance = random.Random(situation.seed)  # noqa: S311 - no secret
    source = MovingSource(chance, situation.codes + situation.room, situation.codes, situation.ids)
    source.change("insert", situation.rows)
    source.touched.clear()
    return source


def read(source: MovingSource, situation: Situation) -> set[Key]:
    """Rows that a pass stored while the source changed. PagingError when it changed too fast to be read."""
    return asyncio.run(_MovingPass(source, situation).stored())


def read_naively(source: MovingSource, situation: Situation) -> set[Key]:
    """The same by offsets alone, one page after the other until one is empty."""
    given, offset, turns = set[Key](), 0, itertools.count()
    while page := source.answer(PageRequest(offset, source.cap)):
        given |= {_key(row) for row in page}
        offset += len(page)
        source.change(*situation.changes[next(turns) % len(situation.changes)])
        if next(turns) > MAX_REQUESTS:
            break
    return given


@dataclass(frozen=True)
class _Kept:
    """What outlives the process: the source's clock when the pass began, its mark, and the rows stored before that."""

    start: int
    mark: PagerMark = THE_START
    given: frozenset[Key] = frozenset()


class _MovingPass:
    """A pass with pages in flight, whose answers come in any order, broken off now and then and gone on with."""

    def __init__(self, source: MovingSource, situation: Situation) -> None:
        self._source = source
        self._situation = situation
        self._answers = itertools.count()
        self._pages = itertools.count(1)
        self._given = set[Key]()
        self._kept = _Kept(source.clock)

    async def stored(self) -> set[Key]:
        while not await self._comes_to_its_end():
            # What was stored behind the mark is in no manifest.
            self._given = set(self._kept.given)
            # The source does not wait meanwhile.
            for change in self._situation.changes * DOWNTIME:
                self._source.change(*change)
            if self._kept.mark == THE_START:
                self._kept = _Kept(self._source.clock)
        return self._given

    async def _comes_to_its_end(self) -> bool:
        pager = Pager(self._source.cap * self._situation.asked, MAX_REQUESTS, self._kept.mark)
        pace = Pace(self._situation.in_flight)
        async with aclosing(pages_in_order(self._fetch, pager, pace, self._identify)) as pages:
            async for page, new in pages:
                self._given |= {_key(_rows(page)[row]) for row in new}
                count = next(self._pages)
                if count % self._situation.keeps == 0:
                    self._kept = replace(self._kept, mark=as_it_is_kept(pager.mark), given=frozenset(self._given))
                if count in self._situation.breaks:
                    return False
        return True

    async def _fetch(self, request: PageRequest) -> Page:
        await self._others()
        rows = self._source.answer(request)
        self._source.change(*self._situation.changes[next(self._answers) % len(self._situation.changes)])
        await self._others()
        return Page(cast("Any", rows), NOW)

    async def _others(self) -> None:
        """Whatever else is in flight goes on, for a while."""
        for _ in range(self._source.chance.randrange(self._situation.in_flight)):
            await asyncio.sleep(0)

    def _identify(self, page: Page) -> PageIdentity:
        return identity(_rows(page), lambda row: row.fields["updated_at"] <= self._kept.start)


def as_it_is_kept(mark: PagerMark) -> PagerMark:
    """Through the JSON that stands with the step."""
    kept = json.dumps(Checkpoint(basis="", mark=mark).to_json())
    return Checkpoint.read(json.loads(kept)).mark


def _rows(page: Page) -> list[SourceRow]:
    return cast("list[SourceRow]", page.rows)


def _key(row: SourceRow) -> Key:
    return row.fields["id"], row.fields["company_code"]
