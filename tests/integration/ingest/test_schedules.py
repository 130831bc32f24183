"""Schedules: a missed time runs once, survives restarts, waits for a run in its way, and can be paused."""

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from apscheduler.triggers.date import DateTrigger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.adapters.cron import next_time
from services.ingest.adapters.schedules import PostgresScheduleTable
from services.ingest.adapters.timer import apscheduler_timer
from services.ingest.domain.runs import Pipeline
from services.ingest.workflow.scheduling import Scheduling
from services.runtime.clock import utc_now
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, eventually, refusal

COMPANIES = pb.PIPELINE_COMPANIES
FOUR = datetime(2026, 3, 10, 4, tzinfo=UTC)
CRONS = {Pipeline.COMPANIES: "0 4 * * *"}
PATIENCE_SECONDS = 20
LIST = text("SELECT logical_time FROM ingest.runs ORDER BY logical_time")
END_ALL = text("UPDATE ingest.runs SET state = 'succeeded'")


class Day:
    """A leader's schedules under a clock that a test sets."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.now = FOUR - timedelta(hours=1)
        self.engine = engine
        self.table = PostgresScheduleTable(engine, lambda: self.now)
        self._leader = self._new_leader()

    def _new_leader(self) -> Scheduling:
        return Scheduling(self.table, CRONS, next_time, lambda: self.now)

    async def restart(self) -> None:
        """Another leader, with the same settings."""
        self._leader = self._new_leader()
        await self.table.put(CRONS)

    async def at(self, moment: datetime) -> list[datetime]:
        """Logical times of all runs, once the leader has looked at that moment."""
        self.now = moment
        self._leader.look_again()
        await self._leader.catch_up()
        return await self.runs()

    async def later(self, moment: datetime) -> list[datetime]:
        """The same at its next regular look, the timer not having rung again."""
        self.now = moment
        await self._leader.catch_up()
        return await self.runs()

    async def runs(self) -> list[datetime]:
        """Logical times of all runs."""
        async with self.engine.connect() as connection:
            return list(await connection.scalars(LIST))

    async def end_runs(self) -> None:
        """No run is active any more."""
        async with self.engine.begin() as connection:
            await connection.execute(END_ALL)


@pytest.fixture
async def day(engine: AsyncEngine) -> Day:
    """Schedules that were first seen an hour before their time."""
    found = Day(engine)
    await found.restart()
    return found


async def test_nothing_runs_for_the_time_before_a_schedule_was_first_seen(day: Day) -> None:
    assert await day.at(FOUR - timedelta(seconds=1)) == []


async def test_a_time_that_has_come_runs_once_however_often_one_looks(day: Day) -> None:
    await day.at(FOUR)

    assert await day.at(FOUR + timedelta(seconds=1)) == [FOUR]


async def test_times_missed_while_nobody_led_run_once_for_the_latest(day: Day) -> None:
    await day.restart()

    assert await day.at(FOUR + timedelta(days=5, hours=3)) == [FOUR + timedelta(days=5)]


async def test_a_restart_forgets_no_time_and_repeats_none(day: Day) -> None:
    await day.at(FOUR)
    await day.end_runs()
    await day.restart()

    assert await day.at(FOUR + timedelta(minutes=1)) == [FOUR]
    assert await day.at(FOUR + timedelta(days=1)) == [FOUR, FOUR + timedelta(days=1)]


async def test_a_time_whose_pipeline_is_at_work_runs_when_that_run_has_ended(day: Day) -> None:
    await day.at(FOUR)
    tomorrow = FOUR + timedelta(days=1)
    assert await day.at(tomorrow) == [FOUR]

    await day.end_runs()

    assert await day.later(tomorrow + timedelta(minutes=30)) == [FOUR, tomorrow]


async def test_two_leaders_by_mistake_make_one_run(day: Day, engine: AsyncEngine) -> None:
    other = Day(engine)

    await asyncio.gather(day.at(FOUR), other.at(FOUR))

    assert await day.runs() == [FOUR]


async def test_a_paused_schedule_runs_nothing_and_a_resumed_one_nothing_of_the_pause(day: Day) -> None:
    await day.table.set_paused(Pipeline.COMPANIES, paused=True)
    assert await day.at(FOUR + timedelta(days=3)) == []

    await day.table.set_paused(Pipeline.COMPANIES, paused=False)

    assert await day.at(FOUR + timedelta(days=3, hours=1)) == []
    assert await day.at(FOUR + timedelta(days=4)) == [FOUR + timedelta(days=4)]


async def test_resuming_what_is_not_paused_settles_nothing(day: Day) -> None:
    day.now = FOUR + timedelta(minutes=1)

    await day.table.set_paused(Pipeline.COMPANIES, paused=False)

    assert await day.at(FOUR + timedelta(minutes=2)) == [FOUR]


async def test_a_pause_survives_a_restart(day: Day) -> None:
    await day.table.set_paused(Pipeline.COMPANIES, paused=True)

    await day.restart()

    assert await day.at(FOUR) == []


async def test_the_settings_times_replace_the_tables(day: Day) -> None:
    await day.table.put({Pipeline.COMPANIES: "0 5 * * *"})

    assert await day.at(FOUR) == []
    assert await day.at(FOUR + timedelta(hours=1)) == [FOUR + timedelta(hours=1)]


async def test_the_timer_rings_at_a_scheduled_time() -> None:
    rung = asyncio.Event()

    def soon(_: str) -> DateTrigger:
        return DateTrigger(utc_now() + timedelta(seconds=0.1))

    async with apscheduler_timer(CRONS.values(), rung.set, soon), asyncio.timeout(PATIENCE_SECONDS):
        await rung.wait()


async def test_a_missed_time_runs_when_ingest_starts(serve: Serve, engine: AsyncEngine) -> None:
    async with serve(companies_schedule="* * * * *") as first:
        await scheduled(first)
    yesterday = text("UPDATE ingest.schedules SET last_time = now() - interval '1 day' WHERE pipeline = 'companies'")
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM ingest.steps"))
        await connection.execute(text("DELETE FROM ingest.runs"))
        await connection.execute(yesterday)

    async with serve(companies_schedule="0 * * * *") as second:
        run = await first_run(second)
        ended = await second.end_of(run.run_id)

    assert (ended.trigger, ended.state) == (pb.TRIGGER_SCHEDULE, pb.RUN_STATE_SUCCEEDED)
    logical_time = ended.logical_time.ToDatetime(UTC)
    assert (logical_time.minute, logical_time.second) == (0, 0)


async def test_schedules_tell_their_next_time_unless_they_are_paused(ingest: Ingest) -> None:
    before = (await scheduled(ingest))[COMPANIES]

    paused = (await ingest.stub.PauseSchedule(pb.PauseScheduleRequest(pipeline=COMPANIES), timeout=20)).schedule
    resumed = (await ingest.stub.ResumeSchedule(pb.ResumeScheduleRequest(pipeline=COMPANIES), timeout=20)).schedule

    assert (before.cron, before.paused, before.HasField("next_time")) == ("0 0 29 2 *", False, True)
    assert (paused.paused, paused.HasField("next_time")) == (True, False)
    assert (resumed.paused, resumed.next_time) == (False, before.next_time)


async def test_a_pause_is_seen_by_the_next_process(serve: Serve) -> None:
    async with serve() as first:
        await scheduled(first)
        await first.stub.PauseSchedule(pb.PauseScheduleRequest(pipeline=COMPANIES), timeout=20)

    async with serve() as second:
        assert (await scheduled(second))[COMPANIES].paused


async def test_the_backfill_has_no_schedule(ingest: Ingest) -> None:
    request = pb.PauseScheduleRequest(pipeline=pb.PIPELINE_BACKFILL)

    refused = await refusal(ingest.stub.PauseSchedule(request, timeout=20))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "pipeline")


async def scheduled(ingest: Ingest) -> dict[int, pb.Schedule]:
    """The schedules, once the leader has entered them."""
    return await eventually(ingest.schedules, lambda found: len(found) == 2)


async def first_run(ingest: Ingest) -> pb.Run:
    """The first run, once there is one."""
    return (await eventually(ingest.list, lambda found: len(found.runs) > 0)).runs[0]
