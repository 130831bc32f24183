"""A missed time runs once, not many times, and not never: against a walk through all times."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.adapters.cron import next_time
from services.ingest.domain.runs import Pipeline, Schedule
from services.ingest.domain.schedule import latest_due, success_due

DAILY = partial(next_time, "0 4 * * *")
FOUR = datetime(2026, 3, 10, 4, tzinfo=UTC)


def walk(expression: str, settled: datetime, now: datetime) -> datetime | None:
    """The slow way: every time after `settled`, one by one."""
    latest, following = None, next_time(expression, settled)
    while following is not None and following <= now:
        latest, following = following, next_time(expression, following)
    return latest


def test_nothing_is_due_before_the_next_time() -> None:
    assert latest_due(DAILY, FOUR, FOUR + timedelta(hours=23, minutes=59)) is None


def test_a_time_is_due_from_its_own_moment_on() -> None:
    assert latest_due(DAILY, FOUR, FOUR + timedelta(days=1)) == FOUR + timedelta(days=1)


def test_of_many_missed_times_the_latest_is_due() -> None:
    assert latest_due(DAILY, FOUR, FOUR + timedelta(days=10, hours=3)) == FOUR + timedelta(days=10)


def test_a_settled_time_is_not_due_again() -> None:
    assert latest_due(DAILY, FOUR, FOUR) is None


def test_a_schedule_that_never_comes_again_is_never_due() -> None:
    assert latest_due(lambda _: None, FOUR, FOUR + timedelta(days=1)) is None


def test_years_of_missed_minutes_take_few_questions() -> None:
    asked: list[datetime] = []

    def every_minute(after: datetime) -> datetime | None:
        asked.append(after)
        return next_time("* * * * *", after)

    assert latest_due(every_minute, FOUR - timedelta(days=3650), FOUR) == FOUR
    assert len(asked) < 100


@given(
    expression=st.sampled_from(["*/7 * * * *", "0 4 * * *", "30 2 * * 1-5", "0 0 1 * *", "5,50 */5 * * 0"]),
    settled=st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 20), timezones=st.just(UTC)),  # noqa: DTZ001
    span=st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_the_latest_due_time_is_that_of_a_walk_through_all(expression: str, settled: datetime, span: timedelta) -> None:
    assert latest_due(partial(next_time, expression), settled, settled + span) == walk(
        expression, settled, settled + span
    )


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=-1)])
def test_a_clock_that_went_back_makes_nothing_due(span: timedelta) -> None:
    assert latest_due(DAILY, FOUR, FOUR + span) is None


def kept(last_time: datetime, *, paused: bool = False) -> Schedule:
    """A daily schedule that was first seen a day before four o'clock."""
    return Schedule(Pipeline.COMPANIES, "0 4 * * *", paused, last_time, FOUR - timedelta(days=1, hours=1))


def test_a_success_is_due_at_the_first_time_after_the_last_one() -> None:
    settled = FOUR + timedelta(days=3)

    assert success_due(DAILY, kept(settled), FOUR + timedelta(minutes=20)) == FOUR + timedelta(days=1)


def test_a_first_success_is_due_at_the_first_time_however_many_runs_failed_since() -> None:
    assert success_due(DAILY, kept(FOUR + timedelta(days=3)), None) == FOUR - timedelta(days=1)


def test_no_success_is_due_of_the_times_of_a_pause() -> None:
    long_ago, resumed = FOUR - timedelta(days=20), FOUR + timedelta(hours=2)

    assert success_due(DAILY, kept(long_ago, paused=True), long_ago) is None
    assert success_due(DAILY, kept(resumed), long_ago) == FOUR + timedelta(days=1)
