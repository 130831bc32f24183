"""Chooses the model's few numbers by trial: each is fitted on the payments before a cut, and tried on those after it.

One number after another is tried around what is best so far. The best of its values is taken only when it is better by
more than two standard errors of the difference, client by client: among equals the usual one stays.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from services.contracts.bundle import Choice, Trial, Tuning
from services.indexer.domain.evaluation import (
    LIST_LENGTH,
    Relevant,
    estimate,
    paired_difference,
    relevant_companies,
    score_lists,
)
from services.indexer.domain.lists import new_lists
from services.indexer.domain.model import Known, Model, Prepared, Shape, prepare
from services.indexer.domain.payments import Payments, split_by_time
from services.indexer.domain.weighting import Floats

USUAL = Tuning(decay=0.5, shrinkage=1.0, trend=0.0, popularity=0.0)
# Popularity beside the model: from hardly any to nothing else. Decay is last: it alone needs another decomposition.
AXES: tuple[tuple[str, tuple[float | None, ...]], ...] = (
    ("shrinkage", (0.3, 0.5, 0.7, 1.4, 3.0, 6.0)),
    ("trend", (0.15, 0.4)),
    ("popularity", (0.1, 0.3, 1.0, 10.0)),
    ("decay", (1.0, None, 0.25)),
)
# Where the payments are cut for a trial, in shares of their period.
CUTS = (0.8, 0.6)
MOST_PAYMENTS = 1_000_000
# Of clients x companies at a cut, unless that left too few clients.
MOST_SCORES = 12_000_000
ENOUGH_CLIENTS = 400
LEAST_CLIENTS = 50
SURELY = 2.0


@dataclass(frozen=True, slots=True)
class Fold:
    """What is known before a cut, and what was right after it."""

    known: Known
    relevant: Relevant


class Trials:
    """Tries each tuning once, on all folds. Of the decompositions, which take longest, it holds those of one decay."""

    def __init__(self, folds: list[Fold], shape: Shape) -> None:
        self.ndcg: dict[Tuning, Floats] = {}
        self._folds = folds
        self._shape = shape
        self._held: tuple[float | None, list[Prepared]] | None = None

    def better(self, best: Tuning, others: Iterable[Tuning]) -> Tuning:
        """The best of the others when it is surely better, else the best so far."""
        so_far = self.of(best)
        other = max(others, key=lambda tuning: float(self.of(tuning).mean()))
        gain = self.of(other) - so_far
        return other if gain.mean() > SURELY * gain.std() / np.sqrt(len(gain)) else best

    def of(self, tuning: Tuning) -> Floats:
        """NDCG of every client of every fold, for companies never paid before."""
        if tuning not in self.ndcg:
            pairs = zip(self._prepared(tuning.decay), self._folds, strict=True)
            self.ndcg[tuning] = np.concatenate([_tried(prepared.model(tuning), fold) for prepared, fold in pairs])
        return self.ndcg[tuning]

    def _prepared(self, decay: float | None) -> list[Prepared]:
        if self._held is None or self._held[0] != decay:
            self._held = None  # let go of the old ones before the new ones are made
            self._held = decay, [prepare(fold.known, self._shape, decay) for fold in self._folds]
        return self._held[1]


def choose(payments: Payments, shape: Shape, limit: int) -> Choice:
    """The best for companies never paid before. At most `limit` clients of a bounded sample judge at each cut."""
    sample = payments.of_first_clients(MOST_PAYMENTS)
    folds = [_fold(sample, share, limit) for share in CUTS]
    clients = sum(len(fold.relevant) for fold in folds)
    if min(len(fold.relevant) for fold in folds) < LEAST_CLIENTS:
        return Choice(chosen=USUAL, usual=USUAL, payments=len(sample), clients=clients, trials=())
    trials = Trials(folds, shape)
    best = USUAL
    for name, values in AXES:
        best = trials.better(best, [best.model_copy(update={name: value}) for value in values])
    return Choice(chosen=best, usual=USUAL, payments=len(sample), clients=clients, trials=tuple(_told(trials)))


def _fold(sample: Payments, share: float, limit: int) -> Fold:
    split = split_by_time(sample, share)
    listed = np.unique(split.before.company)
    affordable = max(MOST_SCORES // max(len(listed), 1), ENOUGH_CLIENTS)
    known = Known(split.before, listed, habits=None)
    return Fold(known, relevant_companies(split, "new", min(limit, affordable)))


def _tried(model: Model, fold: Fold) -> Floats:
    clients = np.array(list(fold.relevant), dtype=np.int64)
    numbers = np.append(model.companies.numbers, -1)  # the last stands for no company
    lists = new_lists(model.served_through(None), model.histories, clients, LIST_LENGTH).companies
    return score_lists(numbers[lists].tolist(), list(fold.relevant.values()), len(model.companies.numbers)).ndcg


def _told(trials: Trials) -> Iterator[Trial]:
    """In the order in which they were made."""
    usual = trials.ndcg[USUAL]
    for tuning, values in trials.ndcg.items():
        ndcg, gain = estimate(values), paired_difference(values, usual)
        interval = {"ndcg_low": ndcg.low, "ndcg_high": ndcg.high, "gain_low": gain.low, "gain_high": gain.high}
        yield Trial(tuning=tuning, ndcg=ndcg.mean, gain=gain.mean, **interval)
