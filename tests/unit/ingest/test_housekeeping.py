"""Chores of the leader: all at once at its start and each day, and one that failed again soon."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.ingest.workflow.errors import LeadershipLost
from services.ingest.workflow.housekeeping import keep_house
from services.runtime.errors import Unavailable

PATIENCE = 10
SOON = timedelta(milliseconds=1)
NEVER = timedelta(days=1)


class Day:
    """A timer that a test rings."""

    def __init__(self) -> None:
        self.ring: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def __call__(self, crons: Iterable[str], fire: Callable[[], None]) -> AsyncIterator[None]:
        """Rings when `ring` is called."""
        self.ring = fire
        yield


class Chore:
    """Fails with each of the problems, then is done."""

    def __init__(self, *problems: Exception) -> None:
        self._problems = list(problems)
        self.tries = 0
        self.done = asyncio.Event()

    async def __call__(self) -> None:
        """One try."""
        self.tries += 1
        if self._problems:
            raise self._problems.pop(0)
        self.done.set()


@asynccontextmanager
async def kept_house(chores: list[Chore], day: Day, pause: timedelta) -> AsyncIterator[None]:
    """House is kept meanwhile, which must not be long."""
    keeping = asyncio.create_task(keep_house(chores, day, first_pause=pause))
    async with asyncio.timeout(PATIENCE):
        yield
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


@pytest.mark.parametrize("problem", [Unavailable("away"), ZeroDivisionError()])
async def test_a_chore_that_failed_is_tried_again_soon_and_alone(problem: Exception) -> None:
    failing, other = Chore(problem, problem), Chore()

    async with kept_house([failing, other], Day(), SOON):
        await failing.done.wait()

    assert (failing.tries, other.tries) == (3, 1)


async def test_all_are_done_again_on_the_next_day_though_one_waits_for_its_next_try() -> None:
    day, failing, other = Day(), Chore(Unavailable("away")), Chore()
    async with kept_house([failing, other], day, NEVER):
        await other.done.wait()
        other.done.clear()
        day.ring()
        await other.done.wait()
        await failing.done.wait()

    assert (failing.tries, other.tries) == (2, 2)


async def test_who_finds_that_another_leads_does_no_further_chore() -> None:
    other = Chore()

    with pytest.raises(LeadershipLost):
        await keep_house([Chore(LeadershipLost("another")), other], Day())

    assert other.tries == 0
