"""Parts of feedback are merged, and the report stays what it was: meanwhile, afterwards, and after a crash."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.contracts.feedback import LONGEST, FeedbackPart
from services.ingest.adapters.feedback_lake import ObjectFeedbackLake
from services.ingest.domain.feedback import ToldEvent, sorted_out
from services.ingest.workflow.feedback_merging import LARGE_ROWS, FeedbackMerging, groups
from services.ingest.workflow.feedback_report import FeedbackReports
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.feedback import answer_id, in_the_lake

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MADE = (NOW, NOW - 40 * DAY)


async def filled(store: ObjectFeedbackLake) -> int:
    """Twenty small writes, each about answers of two days, and five of them again with others; rows in all."""
    rows = 0
    for number in range(20):
        told = [
            ToldEvent(answer_id(number % 15, made), code, kind, made + timedelta(minutes=number))
            for made in MADE
            for code, kind in (("C1", "shown"), ("C2", "shown"), ("C1", "paid"))
        ]
        sound, refused = sorted_out(told, NOW)
        assert refused == []
        await store.store(sound)
        rows += len(sound)
    return rows


@pytest.fixture
def lake(object_store: LocalObjectStore) -> ObjectFeedbackLake:
    """The lake's feedback."""
    return ObjectFeedbackLake(object_store)


def keys(store: LocalObjectStore) -> dict[str, bytes]:
    return {info.key: store.get(info.key) for info in store.list("raw/feedback/")}


async def test_merging_leaves_one_part_a_day_and_the_report_as_it_was(
    lake: ObjectFeedbackLake, object_store: LocalObjectStore
) -> None:
    rows = await filled(lake)
    reports, merging = FeedbackReports(lake, lambda: NOW), FeedbackMerging(lake, lambda: NOW)
    before, events = await reports.count(NOW - 50 * DAY, NOW + DAY), set(in_the_lake(object_store))

    await merging.run()

    after = await reports.count(NOW - 50 * DAY, NOW + DAY)
    assert after.tallies == before.tallies
    assert len(keys(object_store)) == len(MADE)
    assert set(in_the_lake(object_store)) == events
    assert after.rows == before.rows == rows


async def test_a_report_that_has_listed_parts_which_are_merged_then_counts_the_same(
    lake: ObjectFeedbackLake, object_store: LocalObjectStore
) -> None:
    await filled(lake)
    made = (NOW - 50 * DAY, NOW + DAY)
    listed = await lake.parts(made[0].date(), made[1].date())
    _, before = await lake.count(listed, made, (0, 1))

    await FeedbackMerging(lake, lambda: NOW).run()

    assert (await lake.count(listed, made, (0, 1)))[1] == before


async def test_the_merged_part_is_read_once_however_many_parts_went_into_it(
    lake: ObjectFeedbackLake, object_store: LocalObjectStore
) -> None:
    rows = await filled(lake)
    made = (NOW - 50 * DAY, NOW + DAY)
    listed = await lake.parts(made[0].date(), made[1].date())
    await FeedbackMerging(lake, lambda: NOW).run()

    counted, _ = await lake.count(listed, made, (0, 1))

    assert counted == rows


async def test_parts_of_the_oldest_answers_that_feedback_is_taken_for_are_merged(
    lake: ObjectFeedbackLake, object_store: LocalObjectStore
) -> None:
    made = NOW - 2 * LONGEST
    for number in range(20):
        sound, refused = sorted_out([ToldEvent(answer_id(number, made), "C1", "paid", NOW - LONGEST)], NOW)
        assert refused == []
        await lake.store(sound)

    await FeedbackMerging(lake, lambda: NOW).run()

    assert len(keys(object_store)) == 1


async def test_a_crash_between_writing_and_removing_changes_nothing(
    lake: ObjectFeedbackLake, object_store: LocalObjectStore
) -> None:
    await filled(lake)
    reports, merging = FeedbackReports(lake, lambda: NOW), FeedbackMerging(lake, lambda: NOW)
    small = keys(object_store)
    before = await reports.count(NOW - 50 * DAY, NOW + DAY)
    await merging.run()
    merged = keys(object_store)
    for key, content in small.items():
        object_store.put_if_absent(key, content)

    between = await reports.count(NOW - 50 * DAY, NOW + DAY)
    await merging.run()

    assert between.tallies == before.tallies
    assert keys(object_store) == merged
    assert (await reports.count(NOW - 50 * DAY, NOW + DAY)).tallies == before.tallies


async def test_a_damaged_part_stays_and_the_others_are_merged(
    lake: ObjectFeedbackLake, object_store: LocalObjectStore
) -> None:
    await filled(lake)
    damaged = min(keys(object_store))
    content = object_store.get(damaged)
    object_store.delete(damaged)
    object_store.put_if_absent(damaged, content[:-1])

    for _ in range(2):
        await FeedbackMerging(lake, lambda: NOW).run()

    assert len(keys(object_store)) == len(MADE) + 1
    assert keys(object_store)[damaged] == content[:-1]


async def test_a_few_parts_are_left_alone(lake: ObjectFeedbackLake, object_store: LocalObjectStore) -> None:
    await filled(lake)
    before = keys(object_store)
    await FeedbackMerging(lake, lambda: NOW, few=len(before)).run()
    assert keys(object_store) == before


def test_groups_are_bounded_and_no_part_is_merged_alone() -> None:
    parts = [FeedbackPart(str(number), date(2026, 3, 10), 30_000, "") for number in range(13)]
    found = list(groups(parts))
    assert [len(group) for group in found] == [6, 6]
    assert all(sum(part.rows for part in group) <= LARGE_ROWS for group in found)
