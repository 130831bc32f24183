"""Many who watch runs cost no more looks at the table than one a run."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from services.ingest.domain.runs import Run, RunState
from services.ingest.workflow.ports import RunTable
from services.ingest.workflow.watching import MOST_OF_ONE, MOST_WATCHERS, RunWatch
from services.runtime.errors import NotFound, ResourceExhausted, Unavailable
from tests.unit.ingest.fakes import RUN_ID, new_run

PATIENCE = 10


class OneRun:
    """A table of one run, which counts who looks at it at once."""

    def __init__(self) -> None:
        self.run = new_run(state=RunState.RUNNING)
        self.problem: Exception | None = None
        self.at_once = 0
        self.most_at_once = 0

    async def get(self, run_id: UUID) -> Run:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.problem is not None:
            raise self.problem
        return self.run

    def end(self) -> None:
        self.run = replace(self.run, state=RunState.SUCCEEDED)


@pytest.fixture
def table() -> OneRun:
    """A run under way."""
    return OneRun()


@pytest.fixture
def stop() -> asyncio.Event:
    """Set: the process ends."""
    return asyncio.Event()


@pytest.fixture
def watch(table: OneRun, stop: asyncio.Event) -> RunWatch:
    """Over the table."""
    return RunWatch(cast("RunTable", table), stop)


@pytest.fixture(autouse=True)
async def within_bounds() -> AsyncIterator[None]:
    """No test waits for ever."""
    async with asyncio.timeout(PATIENCE):
        yield


async def states(watch: RunWatch, begun: asyncio.Event | None = None, by: str = "alice") -> list[str]:
    """All that a watcher is told."""
    told = []
    async for run in watch.follow(RUN_ID, by):
        told.append(run.state.value)
        if begun is not None:
            begun.set()
    return told


async def test_all_watchers_are_told_of_every_change_by_one_look_at_a_time(watch: RunWatch, table: OneRun) -> None:
    begun = [asyncio.Event() for _ in range(MOST_WATCHERS)]
    watchers = [asyncio.create_task(states(watch, one, str(n // MOST_OF_ONE))) for n, one in enumerate(begun)]
    for one in begun:
        await one.wait()
    table.end()

    assert [await watcher for watcher in watchers] == [["running", "succeeded"]] * MOST_WATCHERS
    assert table.most_at_once == 1


async def test_one_caller_cannot_take_the_place_of_the_others(watch: RunWatch, table: OneRun) -> None:
    begun = [asyncio.Event() for _ in range(MOST_OF_ONE)]
    greedy = [asyncio.create_task(states(watch, one)) for one in begun]
    for one in begun:
        await one.wait()

    with pytest.raises(ResourceExhausted, match="GetRun"):
        await states(watch)
    other = asyncio.Event()
    polite = asyncio.create_task(states(watch, other, by="bob"))
    await other.wait()
    table.end()

    assert {tuple(await one) for one in (*greedy, polite)} == {("running", "succeeded")}
    assert await states(watch) == ["succeeded"]


async def test_a_watcher_who_leaves_does_not_disturb_the_others(watch: RunWatch, table: OneRun) -> None:
    begun, other = asyncio.Event(), asyncio.Event()
    leaves, stays = asyncio.create_task(states(watch, begun)), asyncio.create_task(states(watch, other))
    await begun.wait()
    await other.wait()
    leaves.cancel()
    table.end()

    assert await stays == ["running", "succeeded"]


async def test_a_watcher_who_comes_as_the_last_one_leaves_has_a_look_of_its_own(watch: RunWatch, table: OneRun) -> None:
    begun = asyncio.Event()
    leaves = asyncio.create_task(states(watch, begun))
    await begun.wait()
    leaves.cancel()
    comes = asyncio.create_task(states(watch))
    table.end()

    assert await comes == ["succeeded"]


async def test_the_look_ends_with_its_last_watcher(watch: RunWatch) -> None:
    tasks = asyncio.all_tasks()
    begun = asyncio.Event()
    watcher = asyncio.create_task(states(watch, begun))
    await begun.wait()
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)

    assert asyncio.all_tasks() == tasks


async def test_a_run_queued_again_after_its_end_is_seen_anew(watch: RunWatch, table: OneRun) -> None:
    table.end()
    async for ended in watch.follow(RUN_ID, "alice"):
        table.run = replace(table.run, state=RunState.QUEUED)
        async for again in watch.follow(RUN_ID, "alice"):
            assert (ended.state, again.state) == (RunState.SUCCEEDED, RunState.QUEUED)
            break


async def test_what_ends_the_look_is_told_to_every_watcher(watch: RunWatch, table: OneRun) -> None:
    table.problem = NotFound("no such run")

    found = await asyncio.gather(*(states(watch) for _ in range(3)), return_exceptions=True)

    assert [str(problem) for problem in found] == ["no such run"] * 3


async def test_when_the_process_stops_watchers_are_told_to_come_again(watch: RunWatch, stop: asyncio.Event) -> None:
    stop.set()

    with pytest.raises(Unavailable, match="watch it again"):
        await states(watch)
