"""Which of the active runs may be worked on. An erasure has the house to itself: no other run works while it does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.ingest.domain.runs import Pipeline


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that has not ended; `is_running`: somebody has begun it."""

    run_id: UUID
    pipeline: Pipeline
    is_running: bool


def workable(active: Sequence[ActiveRun], taken: Collection[UUID]) -> list[UUID]:
    """Runs that may be begun or go on; `active` in order of their making, `taken`: about to enter that they run.

    An erasure waits for the runs before it and for those at work; runs made after it wait for the erasure.
    """
    erasures = [run for run in active if run.pipeline is Pipeline.ERASURE]
    if not erasures:
        return [run.run_id for run in active]
    at_work = [run for run in active if run.is_running or run.run_id in taken]
    begun = [run.run_id for run in erasures if run in at_work]
    before = active[: active.index(erasures[0])]
    awaited = [run.run_id for run in active if run in before or run in at_work]
    return begun or awaited or [erasures[0].run_id]
