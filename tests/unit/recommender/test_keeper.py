"""Keeping the newest index in service."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.recommender.search import IndexRefused, Search
from services.recommender.workflow import NoIndex, SnapshotKeeper
from services.runtime.clock import utc_now
from services.runtime.objects.store import ObjectStoreUnavailable
from tests.unit.recommender.snapshots import CHALLENGER
from tests.unit.recommender.sources import FakeSource

RARELY = timedelta(hours=1)
AWAY = ObjectStoreUnavailable("the object store is away")


def keeper_of(
    published: FakeSource, cached: FakeSource | None = None, patience: timedelta = timedelta(seconds=10)
) -> SnapshotKeeper:
    """A keeper that looks at its start and when it is asked to."""
    searches = [Search(source, RARELY, utc_now) for source in (published, cached or FakeSource())]
    return SnapshotKeeper(searches[0], searches[1], RARELY, patience)


@asynccontextmanager
async def looked(published: FakeSource, cached: FakeSource | None = None) -> AsyncIterator[SnapshotKeeper]:
    """A keeper whose first look is over."""
    keeper = keeper_of(published, cached)
    async with asyncio.timeout(20), keeper.keeping():
        await settled(keeper)
        yield keeper


async def ready(keeper: SnapshotKeeper) -> None:
    """Returns when an index is in service."""
    while True:
        try:
            return await keeper.check_ready()
        except NoIndex:
            await asyncio.sleep(0)


async def settled(keeper: SnapshotKeeper) -> bool | Exception:
    """What a reload says or raises."""
    try:
        return await keeper.reload()
    except Exception as error:  # noqa: BLE001 - the error is the answer
        return error


async def test_before_the_first_look_callers_are_told_to_wait() -> None:
    with pytest.raises(NoIndex, match="first look"):
        _ = keeper_of(FakeSource()).current


async def test_with_nothing_published_callers_are_told_what_to_run() -> None:
    async with looked(FakeSource()) as keeper:
        with pytest.raises(NoIndex, match="run the pipeline recommendations"):
            _ = keeper.current


async def test_it_is_ready_once_an_index_is_in_service() -> None:
    source = FakeSource()
    async with looked(source) as keeper:
        with pytest.raises(NoIndex):
            await keeper.check_ready()
        source.published.append(1)
        await keeper.reload()

        await keeper.check_ready()


async def test_a_newer_index_replaces_the_one_in_service() -> None:
    source = FakeSource([1])
    async with looked(source) as keeper:
        source.published.append(2)

        assert await keeper.reload()
        assert keeper.current.epoch == 2


async def test_a_refused_index_leaves_the_one_in_service_and_is_told() -> None:
    source = FakeSource([1], refused={2})
    async with looked(source) as keeper:
        source.published.append(2)

        assert isinstance(await settled(keeper), IndexRefused)
        assert keeper.current.epoch == 1


async def test_without_the_store_the_index_in_service_stays() -> None:
    source = FakeSource([1])
    async with looked(source) as keeper:
        source.failure = AWAY

        assert await settled(keeper) is AWAY
        assert keeper.current.epoch == 1


async def test_without_the_store_at_the_start_the_cached_index_is_taken() -> None:
    async with looked(FakeSource(failure=AWAY), FakeSource([3])) as keeper:
        assert keeper.current.epoch == 3


async def test_the_cache_is_not_asked_while_the_store_answers() -> None:
    cached = FakeSource([3])
    async with looked(FakeSource([1]), cached) as keeper:
        assert keeper.current.epoch == 1
    assert cached.loads == []


async def test_while_the_store_does_not_answer_at_the_start_the_cached_index_is_served() -> None:
    gate = Gate()
    published = FakeSource([4], before_load=gate.pass_through)
    keeper = keeper_of(published, FakeSource([3]), patience=timedelta(milliseconds=20))
    async with asyncio.timeout(20), keeper.keeping():
        await gate.reached()
        await ready(keeper)
        meanwhile = keeper.current.epoch
        gate.open()
        await keeper.reload()

        assert (meanwhile, keeper.current.epoch) == (3, 4)


async def test_an_index_that_the_cache_gave_meanwhile_is_not_taken_twice() -> None:
    gate = Gate()
    published = FakeSource([3], before_load=gate.pass_through)
    keeper = keeper_of(published, FakeSource([3]), patience=timedelta(milliseconds=20))
    async with asyncio.timeout(20), keeper.keeping():
        await gate.reached()
        await ready(keeper)
        taken = keeper.current
        gate.open()
        await keeper.reload()

        assert keeper.current is taken


async def test_a_store_that_never_answers_does_not_hold_up_the_end() -> None:
    gate = Gate()
    keeper = keeper_of(FakeSource([1], before_load=gate.pass_through), patience=timedelta(milliseconds=20))
    async with asyncio.timeout(5):
        async with keeper.keeping():
            await gate.reached()
    gate.open()


async def test_a_damaged_cached_index_does_not_hold_up_the_published_one() -> None:
    published = FakeSource([3], failure=AWAY)
    async with looked(published, FakeSource([3], refused={3})) as keeper:
        published.failure = None

        assert await keeper.reload()
        assert keeper.current.epoch == 3


async def test_a_challenger_that_comes_later_joins_the_main_version_in_service() -> None:
    source = FakeSource([3], challenger=CHALLENGER, challenger_failure=IndexRefused("epoch 3", "damaged"))
    async with looked(source) as keeper:
        alone = keeper.current
        source.challenger_failure = None

        assert await keeper.reload()
        assert (alone.challenger, alone.problem != "") == (None, True)
        assert keeper.current.challenger is not None
        assert keeper.current.main is alone.main


async def test_without_its_challenger_an_index_is_in_service_all_the_same_and_metrics_tell_it() -> None:
    failure = IndexRefused("epoch 3", "damaged")
    async with looked(FakeSource([3], challenger=CHALLENGER, challenger_failure=failure)) as keeper:
        assert not await keeper.reload()
        assert keeper.current.epoch == 3
        assert REGISTRY.get_sample_value("afin_recommender_challenger_missing") == 1
        assert REGISTRY.get_sample_value("afin_recommender_challenger_share") == 0

    async with looked(FakeSource([3], challenger=CHALLENGER)):
        assert REGISTRY.get_sample_value("afin_recommender_challenger_missing") == 0
        assert REGISTRY.get_sample_value("afin_recommender_challenger_share") == 0.5


async def test_a_bug_in_a_look_is_told_and_the_next_look_takes_place() -> None:
    source = FakeSource([1], failure=ZeroDivisionError("a bug"))
    async with looked(source) as keeper:
        with pytest.raises(NoIndex) as caught:
            _ = keeper.current
        source.failure = None

        assert await keeper.reload()
    assert "a bug" not in caught.value.message


async def test_reloads_during_a_look_share_the_next_one() -> None:
    gate = Gate()
    source = FakeSource([1])
    async with looked(source) as keeper:
        source.published, source.before_load = [1, 2], gate.pass_through
        first = asyncio.create_task(keeper.reload())
        await gate.reached()
        source.published = [1, 2, 3]
        later = [asyncio.create_task(keeper.reload()) for _ in range(10)]
        gate.open()
        changed = await asyncio.gather(first, *later)

    assert all(changed)
    assert source.loads == [1, 2, 3]


async def test_who_stops_waiting_for_a_reload_does_not_stop_the_others() -> None:
    gate = Gate()
    source = FakeSource([1])
    async with looked(source) as keeper:
        source.published, source.before_load = [1, 2], gate.pass_through
        impatient = asyncio.create_task(keeper.reload())
        await gate.reached()
        patient = asyncio.create_task(keeper.reload())
        impatient.cancel()
        gate.open()
        await patient

        assert keeper.current.epoch == 2


async def test_it_looks_again_by_itself() -> None:
    loads = threading.Semaphore(0)
    source = FakeSource([1], before_load=loads.release)
    soon = timedelta(milliseconds=10)
    keeper = SnapshotKeeper(Search(source, soon, utc_now), Search(FakeSource(), soon, utc_now), soon)
    async with asyncio.timeout(20), keeper.keeping():
        assert await asyncio.to_thread(loads.acquire, timeout=10)
        source.published.append(2)
        assert await asyncio.to_thread(loads.acquire, timeout=10)


class Gate:
    """Holds a thread until it is opened."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()
        self.pass_through: Callable[[], object] = self._pass

    def _pass(self) -> None:
        self._reached.set()
        assert self._open.wait(10)

    async def reached(self) -> None:
        """Returns when a thread waits at the gate."""
        assert await asyncio.to_thread(self._reached.wait, 10)

    def open(self) -> None:
        """Lets everybody through from now on."""
        self._open.set()
