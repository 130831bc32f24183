"""The search for a newer sound index in one source; what was refused rests for a while before it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from services.recommender.domain.snapshot import Snapshot
from services.runtime.clock import Clock
from services.runtime.errors import FailedPrecondition, ServiceError

# How many of the newest epochs are tried in one search, when the newest are refused.
TRIED_EPOCHS = 5
MAX_REST = timedelta(minutes=10)

log = structlog.get_logger(__name__)


class IndexRefused(FailedPrecondition):
    """A published index is not sound; `name` is its epoch and version."""

    reason = "INDEX_REFUSED"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} is refused: {problem}; publish a sound one, or restore it")


class SnapshotSource(Protocol):
    """Where published indexes come from. Both methods block; Unavailable when the store or the disk fails."""

    def epochs(self) -> list[int]:
        """The epochs that are published, newest first."""

    def load(self, epoch: int) -> Snapshot:
        """Verifies and maps the index of an epoch; IndexRefused when it is not sound."""


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking for a newer index. `problem`: why the newest one, or the store, is of no use."""

    taken: Snapshot | None = None
    problem: Exception | None = None

    @property
    def outcome(self) -> str:
        """For the metric."""
        if self.taken:
            return "taken"
        if self.problem is None:
            return "unchanged"
        if isinstance(self.problem, ServiceError):
            return "refused" if isinstance(self.problem, IndexRefused) else "unavailable"
        return "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A flaky store may give the right bytes later, so at `retry_at` the epoch is tried again; then twice as late."""

    error: IndexRefused
    rest: timedelta
    retry_at: datetime


class Search:
    """One source, and the refusals that are remembered of it. Used by one thread at a time."""

    def __init__(self, source: SnapshotSource, interval: timedelta, clock: Clock) -> None:
        self._source = source
        self._interval = interval
        self._clock = clock
        self._refusals: dict[int, Refusal] = {}

    def newest(self, above: int, *, impatient: bool) -> Look:
        """The newest sound index whose epoch is above `above`. Impatient: what rests is tried now. Blocks."""
        newer = [epoch for epoch in self._source.epochs() if epoch > above][:TRIED_EPOCHS]
        self._refusals = {epoch: each for epoch, each in self._refusals.items() if epoch in newer}
        for epoch in newer:
            refusal = self._refusals.get(epoch)
            if refusal and not impatient and self._clock() < refusal.retry_at:
                continue
            try:
                return Look(self._source.load(epoch), self._first_problem(newer))
            except IndexRefused as error:
                self._refusals[epoch] = self._refuse(epoch, error, refusal)
        return Look(problem=self._first_problem(newer))

    def _first_problem(self, newer: list[int]) -> IndexRefused | None:
        return next((self._refusals[epoch].error for epoch in newer if epoch in self._refusals), None)

    def _refuse(self, epoch: int, error: IndexRefused, earlier: Refusal | None) -> Refusal:
        rest = min(2 * (earlier.rest if earlier else self._interval), MAX_REST)
        log.warning("index refused", epoch=epoch, problem=error.message, retry_seconds=rest.total_seconds())
        return Refusal(error, rest, self._clock() + rest)
