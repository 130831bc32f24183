"""What a former leader writes is refused: its epoch and the number of attempts are fences, held by the database."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.adapters.runs import PostgresRunTable
from services.ingest.adapters.schedules import PostgresScheduleTable
from services.ingest.adapters.work import PostgresWorkTable
from services.ingest.domain.account import Account
from services.ingest.domain.runs import Pipeline, Run, RunState, StepState, Trigger
from services.ingest.workflow.errors import LeadershipLost
from services.ingest.workflow.pipelines import step_names
from services.ingest.workflow.scheduling import scheduled_run
from services.ingest.workflow.values import NewRun
from services.runtime.clock import utc_now

Write = Callable[[PostgresWorkTable, Run], Awaitable[object]]
EPOCH = 7
WRITES: dict[str, Write] = {
    "begin_step": lambda work, run: work.begin_step(run, 0),
    "note": lambda work, run: work.note(run, 0, {"read": 9}, "stale"),
    "keep": lambda work, run: work.keep(run, 0, {"stale": True}),
    "complete_step": lambda work, run: work.complete_step(run, 0, {"stale": True}, Account(9, 9, 0, 0, 0, 0)),
    "end": lambda work, run: work.end(run, RunState.FAILED, "stale"),
}
TAKE: Write = lambda work, run: work.take(run.run_id)  # noqa: E731 - one more of its kind


@pytest.fixture
def runs(engine: AsyncEngine) -> PostgresRunTable:
    """The table as triggers and readers see it."""
    return PostgresRunTable(engine, utc_now)


@pytest.fixture
async def work(engine: AsyncEngine) -> PostgresWorkTable:
    """The table as the leader sees it."""
    await lead(engine, EPOCH)
    return PostgresWorkTable(engine, utc_now, EPOCH)


async def lead(engine: AsyncEngine, epoch: int) -> None:
    """Makes somebody the leader."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE ingest.leadership SET epoch = :epoch"), {"epoch": epoch})


async def taken(
    runs: PostgresRunTable,
    work: PostgresWorkTable,
    pipeline: Pipeline = Pipeline.COMPANIES,
    parameters: dict[str, str] | None = None,
) -> Run:
    """A run under its first attempt."""
    names = step_names(pipeline)
    made = await runs.create(NewRun(uuid4(), pipeline, Trigger.MANUAL, utc_now(), None, names, parameters or {}))
    run = await work.take(made.run_id)
    assert run is not None
    return run


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_former_leader_can_change_nothing(
    runs: PostgresRunTable, work: PostgresWorkTable, write: Write
) -> None:
    former = await taken(runs, work)
    await work.take(former.run_id)
    before = await runs.get(former.run_id)

    with pytest.raises(LeadershipLost):
        await write(work, former)

    assert await runs.get(former.run_id) == before


@pytest.mark.parametrize("write", [*WRITES.values(), TAKE], ids=[*WRITES, "take"])
async def test_a_leader_that_another_one_followed_can_change_nothing(
    runs: PostgresRunTable, work: PostgresWorkTable, engine: AsyncEngine, write: Write
) -> None:
    run = await taken(runs, work)
    before = await runs.get(run.run_id)
    await lead(engine, EPOCH + 1)

    with pytest.raises(LeadershipLost):
        await write(work, run)

    assert await runs.get(run.run_id) == before


async def test_a_leader_that_another_one_followed_changes_no_schedule(
    runs: PostgresRunTable, work: PostgresWorkTable, engine: AsyncEngine
) -> None:
    table = PostgresScheduleTable(engine, utc_now, EPOCH)
    await table.put({Pipeline.COMPANIES: "0 3 * * *"})
    before = await table.all()
    await lead(engine, EPOCH + 1)

    with pytest.raises(LeadershipLost):
        await table.put({Pipeline.COMPANIES: "0 4 * * *"})
    with pytest.raises(LeadershipLost):
        await table.catch_up(Pipeline.COMPANIES, lambda _: utc_now(), partial(scheduled_run, Pipeline.COMPANIES))

    assert (await table.all(), await runs.newest(None, 1, None)) == (before, [])


async def test_a_run_that_has_ended_takes_no_more_writes(runs: PostgresRunTable, work: PostgresWorkTable) -> None:
    run = await taken(runs, work)
    await work.end(run, RunState.SUCCEEDED)

    with pytest.raises(LeadershipLost):
        await work.note(run, 0, {}, "late")


async def test_each_beginning_of_a_step_has_a_number_of_its_own(
    runs: PostgresRunTable, work: PostgresWorkTable
) -> None:
    first = await taken(runs, work)
    numbers = [await work.begin_step(first, 0)]
    second = await work.take(first.run_id)
    assert second is not None

    numbers.append(await work.begin_step(second, 0))

    assert numbers == [1, 2]


async def test_what_a_step_leaves_is_read_back_with_the_run(runs: PostgresRunTable, work: PostgresWorkTable) -> None:
    run = await taken(runs, work)
    account = Account(read=3, new=1, changed=0, unchanged=1, late=0, quarantined=1)

    await work.begin_step(run, 0)
    await work.note(run, 0, {"pages": 2}, "two pages")
    await work.complete_step(run, 0, {"key": "value"}, account)

    found = await runs.get(run.run_id)
    assert (found.account, found.steps[0].state) == (account, StepState.SUCCEEDED)
    assert (found.steps[0].counts, found.steps[0].detail) == ({"pages": 2}, "two pages")
    assert found.outputs() == {"save_companies": {"key": "value"}}


async def test_refused_rows_are_open_until_a_newer_run_or_a_replay(
    runs: PostgresRunTable, work: PostgresWorkTable
) -> None:
    found = []
    for refused in (3, 2):
        run = await taken(runs, work)
        await work.begin_step(run, 0)
        await work.complete_step(run, 0, {}, Account(refused, 0, 0, 0, 0, refused))
        await work.end(run, RunState.SUCCEEDED)
        found.append(await work.open_quarantine())
    replay = await taken(runs, work, Pipeline.REPLAY, {"run_id": str(run.run_id)})
    found.append(await work.open_quarantine())
    await work.end(replay, RunState.SUCCEEDED)

    assert [*found, await work.open_quarantine()] == [{Pipeline.COMPANIES: rows} for rows in (3, 2, 2, 0)]


async def test_a_run_that_has_ended_is_not_taken(runs: PostgresRunTable, work: PostgresWorkTable) -> None:
    run = await taken(runs, work)
    await work.end(run, RunState.SUCCEEDED)

    assert (await work.take(run.run_id), await work.take(UUID(int=7)), await work.active()) == (None, None, [])


async def test_the_last_success_of_each_pipeline_is_remembered(runs: PostgresRunTable, work: PostgresWorkTable) -> None:
    run = await taken(runs, work)
    await work.end(run, RunState.SUCCEEDED)

    assert await work.last_successes() == {Pipeline.COMPANIES: (await runs.get(run.run_id)).ended_at}
