"""The search for a newer sound index in one source; what was refused rests for a while before it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from services.contracts.bundle import Publication
from services.recommender.domain.in_service import InService, of_challenger
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
    """Where published indexes come from. All methods block; Unavailable when the store or the disk fails."""

    def epochs(self) -> list[int]:
        """The epochs that are published, newest first."""

    def load(self, epoch: int) -> Snapshot:
        """Verifies and maps the main version of an epoch; IndexRefused when it is not sound."""

    def load_version(self, publication: Publication) -> Snapshot:
        """The same for the version that a publication names."""


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking for a newer index. `problem`: why the newest one, or the store, is of no use."""

    taken: InService | None = None
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

    error: ServiceError
    rest: timedelta
    retry_at: datetime


class Search:
    """One source, and the refusals that are remembered of it. Used by one thread at a time."""

    def __init__(self, source: SnapshotSource, interval: timedelta, clock: Clock) -> None:
        self._source = source
        self._interval = interval
        self._clock = clock
        self._refusals: dict[int, Refusal] = {}
        self._challenger_refusal: Refusal | None = None

    def newest(self, present: InService | None, *, impatient: bool) -> Look:
        """The newest sound index that is newer than the one in service, or this one with the challenger that it lacks.

        Impatient: what rests is tried now. Blocks.
        """
        above = present.epoch if present else 0
        newer = [epoch for epoch in self._source.epochs() if epoch > above][:TRIED_EPOCHS]
        self._refusals = {epoch: each for epoch, each in self._refusals.items() if epoch in newer}
        for epoch in newer:
            refusal = self._refusals.get(epoch)
            if self._rests(refusal, impatient):
                continue
            try:
                main = self._source.load(epoch)
            except IndexRefused as error:
                self._refusals[epoch] = self._refuse(epoch, error, refusal)
            else:
                self._challenger_refusal = None
                return Look(self._with_challenger(main), self._first_problem(newer))
        return Look(self._completed(present, impatient), self._first_problem(newer))

    def _completed(self, present: InService | None, impatient: bool) -> InService | None:
        """What is in service with the challenger that could not be had before; None: nothing is better than it was."""
        if present is None or not present.problem or self._rests(self._challenger_refusal, impatient):
            return None
        completed = self._with_challenger(present.main)
        return None if completed.problem else completed

    def _with_challenger(self, main: Snapshot) -> InService:
        """Whatever is wrong with the challenger, the main version must come into service."""
        theirs = of_challenger(main.publication)
        if theirs is None:
            return InService.of(main)
        try:
            return InService.of(main, self._source.load_version(theirs))
        except ServiceError as error:
            self._challenger_refusal = self._refuse(main.epoch, error, self._challenger_refusal)
            return InService.of(main, problem=error.message)

    def _rests(self, refusal: Refusal | None, impatient: bool) -> bool:
        return refusal is not None and not impatient and self._clock() < refusal.retry_at

    def _first_problem(self, newer: list[int]) -> ServiceError | None:
        return next((self._refusals[epoch].error for epoch in newer if epoch in self._refusals), None)

    def _refuse(self, epoch: int, error: ServiceError, earlier: Refusal | None) -> Refusal:
        rest = min(2 * (earlier.rest if earlier else self._interval), MAX_REST)
        log.warning("index refused", epoch=epoch, problem=error.message, retry_seconds=rest.total_seconds())
        return Refusal(error, rest, self._clock() + rest)
