"""What a former leader writes is refused: the number of attempts is a fence, held by the database."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.adapters.runs import PostgresRunTable
from services.ingest.adapters.work import PostgresWorkTable
from services.ingest.domain.account import Account
from services.ingest.domain.runs import Pipeline, Run, RunState, StepState, Trigger
from services.ingest.workflow.errors import RunLost
from services.ingest.workflow.pipelines import step_names
from services.ingest.workflow.values import NewRun
from services.runtime.clock import utc_now

Write = Callable[[PostgresWorkTable, Run], Awaitable[object]]


@pytest.fixture
def runs(engine: AsyncEngine) -> PostgresRunTable:
    """The table as triggers and readers see it."""
    return PostgresRunTable(engine, utc_now)


@pytest.fixture
def work(engine: AsyncEngine) -> PostgresWorkTable:
    """The table as the leader sees it."""
    return PostgresWorkTable(engine, utc_now)


async def taken(runs: PostgresRunTable, work: PostgresWorkTable) -> Run:
    """A run of companies under its first attempt."""
    names = step_names(Pipeline.COMPANIES)
    made = await runs.create(NewRun(uuid4(), Pipeline.COMPANIES, Trigger.MANUAL, utc_now(), None, names))
    run = await work.take(made.run_id)
    assert run is not None
    return run


@pytest.mark.parametrize(
    "write",
    [
        lambda work, run: work.begin_step(run, 0),
        lambda work, run: work.note(run, 0, {"read": 9}, "stale"),
        lambda work, run: work.complete_step(run, 0, {"stale": True}, Account(9, 9, 0, 0, 0, 0)),
        lambda work, run: work.end(run, RunState.FAILED, "stale"),
    ],
    ids=["begin_step", "note", "complete_step", "end"],
)
async def test_a_former_leader_can_change_nothing(
    runs: PostgresRunTable, work: PostgresWorkTable, write: Write
) -> None:
    former = await taken(runs, work)
    await work.take(former.run_id)
    before = await runs.get(former.run_id)

    with pytest.raises(RunLost):
        await write(work, former)

    assert await runs.get(former.run_id) == before


async def test_a_run_that_has_ended_takes_no_more_writes(runs: PostgresRunTable, work: PostgresWorkTable) -> None:
    run = await taken(runs, work)
    await work.end(run, RunState.SUCCEEDED)

    with pytest.raises(RunLost):
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


async def test_a_run_that_has_ended_is_not_taken(runs: PostgresRunTable, work: PostgresWorkTable) -> None:
    run = await taken(runs, work)
    await work.end(run, RunState.SUCCEEDED)

    assert (await work.take(run.run_id), await work.take(UUID(int=7)), await work.active()) == (None, None, [])


async def test_the_last_success_of_each_pipeline_is_remembered(runs: PostgresRunTable, work: PostgresWorkTable) -> None:
    run = await taken(runs, work)
    await work.end(run, RunState.SUCCEEDED)

    assert await work.last_successes() == {Pipeline.COMPANIES: (await runs.get(run.run_id)).ended_at}
