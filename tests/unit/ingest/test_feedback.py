"""Which events of feedback are taken, and how many callers share one write."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.contracts.recommendation_ids import Origin, encoded
from services.ingest.domain.feedback import FeedbackEvent, ToldEvent, sorted_out
from services.ingest.workflow.feedback import FULL_GROUP, Feedback
from services.runtime.errors import ResourceExhausted, Unavailable

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
AT_ONCE, PATIENTLY = timedelta(0), timedelta(hours=1)


def id_of(number: int = 0, made_at: datetime = NOW) -> str:
    return encoded(Origin(5, 3, "challenger"), 1, int(made_at.timestamp()), number).decode()


GOOD = ToldEvent(id_of(), "C1", "shown", NOW)


def test_a_sound_event_is_taken_with_what_its_id_says() -> None:
    (event,), refused = sorted_out([replace(GOOD, company_code=" C1 ")], NOW)
    assert (event.company_code, event.kind, event.at, refused) == ("C1", "shown", NOW, [])
    assert (event.origin.epoch, event.origin.experiment, event.origin.role) == (5, 3, "challenger")


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (replace(GOOD, recommendation_id=""), "recommendation_id"),
        (replace(GOOD, recommendation_id=GOOD.recommendation_id[:-1] + "~"), "recommendation_id"),
        (replace(GOOD, recommendation_id=id_of(made_at=NOW + DAY + SECOND)), "recommendation_id"),
        (replace(GOOD, company_code="  "), "company_code"),
        (replace(GOOD, company_code="x" * 129), "company_code"),
        (replace(GOOD, company_code="a\0b"), "company_code"),
        (replace(GOOD, kind=""), "kind"),
        (replace(GOOD, at=None), "at"),
        (replace(GOOD, at=NOW + DAY + SECOND), "at"),
        (replace(GOOD, at=NOW - DAY - SECOND), "at"),
        (replace(GOOD, recommendation_id=id_of(made_at=NOW - 92 * DAY), at=NOW - 90 * DAY - SECOND), "at"),
        (replace(GOOD, recommendation_id=id_of(made_at=NOW - 91 * DAY), at=NOW), "at"),
    ],
)
def test_a_wrong_event_is_told_by_its_place_and_field_and_stops_no_other(event: ToldEvent, field: str) -> None:
    sound, refused = sorted_out([GOOD, event, GOOD], NOW)
    assert len(sound) == 2
    assert [(each.index, each.field) for each in refused] == [(1, field)]


@pytest.mark.parametrize(
    ("made", "at"),
    [
        (AT_ONCE, AT_ONCE),
        (AT_ONCE, DAY),
        (AT_ONCE, -DAY),
        (-90 * DAY, AT_ONCE),
        (-89 * DAY, -90 * DAY),
        (DAY, DAY),
        (-5 * DAY, -DAY),
    ],
)
def test_times_within_the_bounds_are_taken(made: timedelta, at: timedelta) -> None:
    assert sorted_out([replace(GOOD, recommendation_id=id_of(made_at=NOW + made), at=NOW + at)], NOW)[1] == []


class Lake:
    """Remembers what was written; a write waits while `open` is not set, and fails while `failing`."""

    def __init__(self) -> None:
        self.writes: list[list[FeedbackEvent]] = []
        self.open, self.entered = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.failing = False

    async def store(self, events: Sequence[FeedbackEvent]) -> None:
        self.entered.set()
        await self.open.wait()
        if self.failing:
            raise Unavailable("no store")
        self.writes.append(list(events))


@asynccontextmanager
async def writing(lake: Lake, gathering: timedelta, most_waiting: int = 100_000) -> AsyncIterator[Feedback]:
    feedback = Feedback(lake, lambda: NOW, gathering, most_waiting)
    task = asyncio.create_task(feedback.keep_writing())
    try:
        yield feedback
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def batch(number: int, size: int = 1) -> list[ToldEvent]:
    return [replace(GOOD, recommendation_id=id_of(number), company_code=f"C{place}") for place in range(size)]


async def test_a_thousand_callers_share_an_object_or_two() -> None:
    lake = Lake()
    async with writing(lake, timedelta(seconds=0.05)) as feedback:
        answers = await asyncio.gather(*(feedback.record(batch(number)) for number in range(1000)))
    assert answers == [(1, [])] * 1000
    assert len(lake.writes) <= 2
    assert len({event.recommendation_id for write in lake.writes for event in write}) == 1000


async def test_a_full_group_waits_for_nobody() -> None:
    lake = Lake()
    async with writing(lake, PATIENTLY) as feedback, asyncio.timeout(20):
        await feedback.record(batch(1, FULL_GROUP))
    assert [len(write) for write in lake.writes] == [FULL_GROUP]


async def test_a_batch_of_wrong_events_alone_is_answered_without_a_write() -> None:
    lake = Lake()
    async with writing(lake, PATIENTLY) as feedback, asyncio.timeout(20):
        recorded, refused = await feedback.record([replace(GOOD, kind="")])
    assert (recorded, len(refused), lake.writes) == (0, 1, [])


async def test_what_waits_is_bounded_and_room_comes_back() -> None:
    lake = Lake()
    lake.open.clear()
    async with writing(lake, AT_ONCE, most_waiting=10) as feedback, asyncio.timeout(20):
        first = asyncio.create_task(feedback.record(batch(1, 6)))
        await lake.entered.wait()
        with pytest.raises(ResourceExhausted) as caught:
            await feedback.record(batch(2, 5))
        second = asyncio.create_task(feedback.record(batch(3, 4)))
        lake.open.set()
        assert await first == (6, [])
        assert await second == (4, [])
        assert await feedback.record(batch(4, 10)) == (10, [])
    assert caught.value.retry_after > AT_ONCE


async def test_a_failed_write_is_told_to_all_who_wait_and_the_next_one_succeeds() -> None:
    lake = Lake()
    lake.failing = True
    async with writing(lake, AT_ONCE, most_waiting=10) as feedback, asyncio.timeout(20):
        told = await asyncio.gather(*(feedback.record(batch(n, 5)) for n in range(2)), return_exceptions=True)
        assert [type(each) for each in told] == [Unavailable, Unavailable]
        lake.failing = False
        assert await feedback.record(batch(3, 10)) == (10, [])


async def test_a_caller_that_goes_away_takes_nobody_with_it() -> None:
    lake = Lake()
    lake.open.clear()
    async with writing(lake, AT_ONCE) as feedback, asyncio.timeout(20):
        leaving, staying = (asyncio.create_task(feedback.record(batch(n))) for n in (1, 2))
        await lake.entered.wait()
        leaving.cancel()
        lake.open.set()
        assert await staying == (1, [])
    assert len(lake.writes[0]) == 2
