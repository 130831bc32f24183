"""Step by step through a run: what is written down, whatever happens on the way. Runs of `backfill` and small fakes."""

import asyncio
from dataclasses import replace

import grpc
import pytest

from services.ingest.domain.runs import Pipeline, Run, RunState, StepState
from services.ingest.workflow.errors import LeadershipLost, PeerRefused
from services.ingest.workflow.executor import Executor
from services.runtime.errors import FailedPrecondition
from tests.unit.ingest.fakes import RUN_ID, FakeWarehouse, FakeWorkTable, new_run, tools


def backfill(**changes: object) -> Run:
    """A run whose first step checks the bucket, and whose second asks the warehouse."""
    return new_run(Pipeline.BACKFILL, **changes)


async def execute(run: Run, warehouse: FakeWarehouse) -> FakeWorkTable:
    """The table after the run was executed."""
    table = FakeWorkTable(run)
    await Executor(table, tools(warehouse)).execute(RUN_ID)
    return table


async def test_a_step_that_is_refused_ends_the_run_with_what_it_was_told() -> None:
    table = await execute(backfill(), FakeWarehouse(problem=FailedPrecondition("no\n way")))

    assert (table.run.state, table.run.error) == (RunState.FAILED, "no way")
    assert table.states() == ["succeeded", "failed", "pending", "pending"]


async def test_a_bug_ends_the_run_without_telling_what_only_the_log_may_hold() -> None:
    table = await execute(backfill(), FakeWarehouse(problem=ZeroDivisionError("client-7")))

    assert table.run.state is RunState.FAILED
    assert table.run.error == "internal error (ZeroDivisionError); see the log of ingest"


async def test_companies_that_were_never_loaded_are_named_as_what_to_run() -> None:
    table = await execute(backfill(), FakeWarehouse(companies=None))

    assert table.run.error == "companies were never loaded; run the pipeline companies first"


async def test_a_run_taken_up_again_goes_on_at_its_first_unfinished_step() -> None:
    run = backfill(state=RunState.RUNNING, attempts=1)
    steps = (
        replace(run.steps[0], state=StepState.SUCCEEDED),
        replace(run.steps[1], state=StepState.RUNNING, attempts=1),
    )

    table = await execute(replace(run, steps=(*steps, *run.steps[2:])), FakeWarehouse(companies=None))

    assert (table.run.attempts, table.run.steps[0].attempts, table.run.steps[1].attempts) == (2, 0, 2)


async def test_the_leader_is_announced_to_the_warehouse_once_before_any_step_works() -> None:
    warehouse = FakeWarehouse(problem=FailedPrecondition("no way"))
    table = FakeWorkTable(backfill())
    executor = Executor(table, tools(warehouse))
    await executor.execute(RUN_ID)
    table.run = backfill()

    await executor.execute(RUN_ID)

    assert warehouse.announced == 1


async def test_a_leader_that_the_warehouse_knows_a_later_one_of_leaves_the_run_as_it_is() -> None:
    warehouse = FakeWarehouse(refuses=LeadershipLost())
    table = FakeWorkTable(backfill())

    with pytest.raises(LeadershipLost):
        await Executor(table, tools(warehouse)).execute(RUN_ID)

    assert (table.run.state, table.states()[0], warehouse.asked) == (RunState.RUNNING, "running", 0)


async def test_a_run_that_has_ended_meanwhile_is_left_alone() -> None:
    run = backfill(state=RunState.CANCELLED)
    warehouse = FakeWarehouse()

    table = await execute(run, warehouse)

    assert (table.run, warehouse.asked) == (run, 0)


async def test_a_run_whose_cancellation_was_requested_is_cancelled_before_it_works() -> None:
    table = await execute(backfill(cancel_requested=True), FakeWarehouse())

    assert table.run.state is RunState.CANCELLED
    assert table.states() == ["pending"] * 4


async def test_a_load_of_a_former_leader_is_over_before_the_ledger_is_asked_for_it() -> None:
    run = backfill(state=RunState.RUNNING, cancel_requested=True)
    begun = replace(run.steps[3], state=StepState.RUNNING)
    warehouse = FakeWarehouse()

    table = await execute(replace(run, steps=(*run.steps[:3], begun)), warehouse)

    assert warehouse.announced_before_found == [1]
    assert table.run.state is RunState.CANCELLED


async def test_a_run_to_be_cancelled_whose_load_the_warehouse_refuses_to_tell_of_fails_and_says_so() -> None:
    run = backfill(state=RunState.RUNNING, cancel_requested=True)
    begun = replace(run.steps[3], state=StepState.RUNNING)
    refusal = PeerRefused(grpc.StatusCode.INTERNAL, "the warehouse answered INTERNAL")

    table = await execute(replace(run, steps=(*run.steps[:3], begun)), FakeWarehouse(problem=refusal))

    assert table.run.state is RunState.FAILED
    assert table.run.error == "whether its load was committed is not known: the warehouse answered INTERNAL"


async def test_a_step_at_work_is_cancelled_when_that_is_requested() -> None:
    warehouse = FakeWarehouse(waits=asyncio.Event())
    table = FakeWorkTable(backfill())
    warehouse.during = lambda: setattr(table, "run", replace(table.run, cancel_requested=True))

    async with asyncio.timeout(10):
        await Executor(table, tools(warehouse)).execute(RUN_ID)

    assert table.run.state is RunState.CANCELLED
    assert table.states() == ["succeeded", "cancelled", "pending", "pending"]


async def test_a_run_that_another_leader_took_is_dropped_at_once() -> None:
    warehouse = FakeWarehouse(waits=asyncio.Event())
    table = FakeWorkTable(backfill())
    warehouse.during = lambda: setattr(table, "run", replace(table.run, attempts=7))

    async with asyncio.timeout(10):
        with pytest.raises(LeadershipLost):
            await Executor(table, tools(warehouse)).execute(RUN_ID)

    assert table.states() == ["succeeded", "running", "pending", "pending"]


async def test_an_interrupted_run_stays_running_for_whoever_comes_next() -> None:
    begun = asyncio.Event()
    table = FakeWorkTable(backfill())
    executor = Executor(table, tools(FakeWarehouse(waits=asyncio.Event(), during=begun.set)))
    task = asyncio.create_task(executor.execute(RUN_ID))
    async with asyncio.timeout(10):
        await begun.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert table.run.state is RunState.RUNNING
    assert table.states() == ["succeeded", "running", "pending", "pending"]


async def test_a_run_of_other_steps_than_this_version_knows_is_not_guessed_at() -> None:
    run = backfill()

    table = await execute(replace(run, steps=run.steps[1:]), FakeWarehouse())

    assert table.run.state is RunState.FAILED
    assert "the steps of the pipeline have changed" in table.run.error


async def test_what_a_step_said_last_stays_with_it() -> None:
    table = await execute(backfill(), FakeWarehouse())

    assert "companies are complete as of" in table.run.steps[1].detail
