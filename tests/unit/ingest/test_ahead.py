"""Pages on their way before they are wanted."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from services.ingest.domain.pace import Pace
from services.ingest.domain.page_rows import payments_of
from services.ingest.domain.paging import PageIdentity, Pager, PageRequest
from services.ingest.workflow.ahead import PagesAhead, pages_in_order
from services.ingest.workflow.values import Page
from tests.unit.ingest.fakes import NOW

LIMIT = 100


def at(*offsets: int) -> list[PageRequest]:
    """Requests."""
    return [PageRequest(offset, LIMIT) for offset in offsets]


class Answers:
    """Answers each request when it is told to; keeps what is under way."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.under_way: set[int] = set()
        self.free = asyncio.Event()

    async def fetch(self, request: PageRequest) -> Page:
        self.asked.append(request.offset)
        self.under_way.add(request.offset)
        try:
            await self.free.wait()
            return Page(payments_of([]), NOW)
        finally:
            self.under_way.remove(request.offset)


async def test_what_is_asked_for_is_under_way_and_what_is_asked_no_more_is_dropped() -> None:
    answers = Answers()
    ahead = PagesAhead(answers.fetch)

    ahead.ask(at(0, 10, 20))
    await asyncio.sleep(0)
    assert ahead.keep(at(10, 30)) == 2
    ahead.ask(at(10, 30))
    await asyncio.sleep(0)

    assert answers.under_way == {10, 30}
    assert answers.asked == [0, 10, 20, 30], "nothing is asked twice"
    await ahead.close()
    assert answers.under_way == set()


async def test_a_page_that_is_not_under_way_is_asked_for_when_it_is_taken() -> None:
    answers = Answers()
    answers.free.set()

    await PagesAhead(answers.fetch).take(PageRequest(7, LIMIT))

    assert answers.asked == [7]


async def test_a_page_asked_ahead_that_fails_troubles_nobody_unless_it_is_taken() -> None:
    async def fetch(request: PageRequest) -> Page:
        if request.offset == 10:
            raise ValueError("no page")
        return Page(payments_of([]), NOW)

    ahead = PagesAhead(fetch)
    ahead.ask(at(0, 10))
    await ahead.take(PageRequest(0, LIMIT))
    with pytest.raises(ValueError, match="no page"):
        await ahead.take(PageRequest(10, LIMIT))
    await ahead.close()


class StillSource:
    """So many rows that nobody changes; `busy`: offsets at which it asked for rest first."""

    def __init__(self, count: int, busy: Sequence[int] = ()) -> None:
        self._count = count
        self._busy = busy
        self._at_once = 0
        self.most_at_once = 0
        self.asked: list[int] = []

    async def fetch(self, request: PageRequest) -> Page:
        self.asked.append(request.offset)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        rows = range(request.offset, min(request.offset + request.limit, self._count))
        return Page(cast("Any", rows), NOW, busy=request.offset in self._busy)

    async def read(self, in_flight: int) -> list[int]:
        """The rows of a pass."""
        pages = pages_in_order(self.fetch, Pager(LIMIT, 1000), Pace(in_flight), identify)
        return [cast("Any", page.rows)[row] for page, new in [found async for found in pages] for row in new]


def identify(page: Page) -> PageIdentity:
    """Rows are numbers."""
    rows = list(cast("Any", page.rows))
    return PageIdentity([str(row) for row in rows], rows, [True] * len(rows))


@pytest.mark.parametrize("in_flight", [1, 2, 4])
async def test_a_set_is_read_once_with_so_many_pages_in_flight(in_flight: int) -> None:
    source = StillSource(2000)

    assert await source.read(in_flight) == list(range(2000))
    assert source.most_at_once == in_flight


async def test_pages_in_flight_cost_few_requests_more() -> None:
    one, four = StillSource(100 * LIMIT), StillSource(100 * LIMIT)
    await one.read(1)
    await four.read(4)

    assert set(one.asked) <= set(four.asked)
    # Those asked ahead of the end, in vain.
    assert len(four.asked) - len(one.asked) <= 3


async def test_of_a_source_that_asks_for_rest_fewer_pages_are_asked_at_once() -> None:
    source = StillSource(3000, busy=[0])

    assert await source.read(8) == list(range(3000))
    assert source.most_at_once == 7, "halved, and one more after each ten calm pages"
