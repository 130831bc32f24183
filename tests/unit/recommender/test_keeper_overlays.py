"""Keeping what is newer than an index over the index in service."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.recommender.domain.overlay import Overlay
from services.recommender.domain.snapshot import Snapshot
from services.recommender.search import Search
from services.recommender.workflow import PATIENCE, SnapshotKeeper
from services.runtime.clock import utc_now
from services.runtime.objects.store import ObjectStoreUnavailable
from tests.unit.recommender.snapshots import CHALLENGER
from tests.unit.recommender.sources import FakeSource

RARELY = timedelta(hours=1)
AWAY = ObjectStoreUnavailable("the object store is away")


class FakeOverlays:
    """Gives overlays by number; see OverlaySource."""

    def __init__(self, published: int = 0, cached: int = 0, failure: Exception | None = None) -> None:
        self.number = published
        self.failure = failure
        self._cached = cached
        # A look waits for it.
        self.answers = threading.Event()
        self.answers.set()
        self.looks = 0

    def published(self, snapshot: Snapshot) -> Overlay:
        """See OverlaySource."""
        self.looks += 1
        assert self.answers.wait(20)
        if self.failure:
            raise self.failure
        return Overlay(self.number)

    def cached(self, snapshot: Snapshot) -> Overlay:
        """See OverlaySource."""
        return Overlay(self._cached)


@asynccontextmanager
async def overlaid(
    source: FakeSource, overlays: FakeOverlays, patience: timedelta = PATIENCE
) -> AsyncIterator[SnapshotKeeper]:
    published, cached = Search(source, RARELY, utc_now), Search(source, RARELY, utc_now)
    keeper = SnapshotKeeper(published, cached, RARELY, patience, overlays=overlays)
    async with asyncio.timeout(20), keeper.keeping():
        await keeper.reload()
        yield keeper


async def test_an_index_comes_into_service_with_what_is_newer_than_it() -> None:
    async with overlaid(FakeSource([1]), FakeOverlays(3)) as keeper:
        assert keeper.current.main.fresh.number == 3


async def test_a_newer_overlay_replaces_the_one_before_and_is_no_newer_index() -> None:
    overlays = FakeOverlays(3)
    async with overlaid(FakeSource([1]), overlays) as keeper:
        overlays.number = 4

        assert await keeper.reload() is False
        assert keeper.current.main.fresh.number == 4


async def test_an_older_overlay_replaces_nothing() -> None:
    overlays = FakeOverlays(3)
    async with overlaid(FakeSource([1]), overlays) as keeper:
        before = keeper.current
        overlays.number = 2
        await keeper.reload()

        assert keeper.current is before


async def test_both_versions_of_an_experiment_have_their_overlays() -> None:
    async with overlaid(FakeSource([1], challenger=CHALLENGER), FakeOverlays(3)) as keeper:
        assert keeper.current.challenger is not None
        assert keeper.current.challenger.fresh.number == 3


@pytest.mark.parametrize("failure", [AWAY, RuntimeError("a bug")])
async def test_where_overlays_cannot_be_had_the_index_comes_with_those_of_the_disk(failure: Exception) -> None:
    async with overlaid(FakeSource([1]), FakeOverlays(cached=2, failure=failure)) as keeper:
        assert keeper.current.main.fresh.number == 2


async def test_a_store_that_does_not_answer_is_asked_once_and_the_disk_meanwhile() -> None:
    overlays = FakeOverlays(published=3, cached=2)
    overlays.answers.clear()
    async with overlaid(FakeSource([1]), overlays, patience=timedelta(milliseconds=10)) as keeper:
        await keeper.reload()

        assert (keeper.current.main.fresh.number, overlays.looks) == (2, 1)
        overlays.answers.set()
        while keeper.current.main.fresh.number != 3:
            await keeper.reload()


def numbers(keeper: SnapshotKeeper) -> tuple[int, int | None]:
    """Of the overlays in service: the main version's, and its challenger's when there is one."""
    index = keeper.current
    return index.main.fresh.number, index.challenger.fresh.number if index.challenger else None


async def test_a_challenger_that_was_missing_comes_with_the_newest_overlays_of_both() -> None:
    source, overlays = FakeSource([1], challenger=CHALLENGER, challenger_failure=AWAY), FakeOverlays(3)
    async with overlaid(source, overlays) as keeper:
        assert numbers(keeper) == (3, None)
        source.challenger_failure, overlays.number = None, 4

        assert await keeper.reload()
        assert numbers(keeper) == (4, 4)


async def test_a_challenger_that_was_missing_takes_no_overlay_from_the_main_version() -> None:
    source, overlays = FakeSource([1], challenger=CHALLENGER, challenger_failure=AWAY), FakeOverlays(3)
    async with overlaid(source, overlays) as keeper:
        source.challenger_failure, overlays.failure = None, AWAY

        assert await keeper.reload()
        assert numbers(keeper) == (3, 0)
