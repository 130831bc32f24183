"""An erasure has the house to itself, and nobody waits for ever."""

from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.order import ActiveRun, workable
from services.ingest.domain.runs import Pipeline


def queued(number: int, pipeline: Pipeline = Pipeline.RECOMMENDATIONS) -> ActiveRun:
    return ActiveRun(UUID(int=number), pipeline, is_running=False)


def running(number: int, pipeline: Pipeline = Pipeline.RECOMMENDATIONS) -> ActiveRun:
    return ActiveRun(UUID(int=number), pipeline, is_running=True)


def numbers(active: list[ActiveRun], taken: tuple[int, ...] = ()) -> list[int]:
    return [run_id.int for run_id in workable(active, [UUID(int=number) for number in taken])]


def test_without_an_erasure_all_runs_work() -> None:
    assert numbers([queued(1), running(2, Pipeline.COMPANIES)]) == [1, 2]


def test_an_erasure_waits_for_the_runs_before_it_and_those_behind_wait_for_it() -> None:
    assert numbers([queued(1), running(2), queued(3, Pipeline.ERASURE), queued(4)]) == [1, 2]


def test_an_erasure_that_is_first_works_alone() -> None:
    assert numbers([queued(1, Pipeline.ERASURE), queued(2), queued(3, Pipeline.ERASURE)]) == [1]


def test_an_old_erasure_that_is_retried_waits_for_newer_runs_at_work() -> None:
    assert numbers([queued(1, Pipeline.ERASURE), running(2), queued(3)]) == [2]


def test_a_run_that_was_taken_but_has_not_entered_it_is_waited_for() -> None:
    assert numbers([queued(1, Pipeline.ERASURE), queued(2)], taken=(2,)) == [2]


def test_an_erasure_at_work_stays_alone_though_an_older_run_is_retried() -> None:
    assert numbers([queued(1), running(2, Pipeline.ERASURE), queued(3)]) == [2]


PIPELINES = st.sampled_from([Pipeline.ERASURE, Pipeline.RECOMMENDATIONS, Pipeline.BACKFILL])


@given(st.lists(PIPELINES, min_size=1, max_size=6), st.randoms())
def test_whatever_is_begun_and_ends_when_an_erasure_is_alone_and_every_run_is_worked_on(
    pipelines: list[Pipeline], random: Random
) -> None:
    waiting = [queued(number, pipeline) for number, pipeline in enumerate(pipelines)]
    at_work: set[UUID] = set()
    while waiting:
        at_work.update(workable(waiting, at_work))
        working = [run for run in waiting if run.run_id in at_work]
        assert working
        assert len(working) == 1 or all(run.pipeline is not Pipeline.ERASURE for run in working)
        ended = working[random.randrange(len(working))]
        waiting.remove(ended)
