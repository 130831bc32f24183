"""How payments become histories: what each client paid, what it weighs, and how likely it is to come again.

A history follows from the client's own payments, the period, and what is known of companies: never from the clients
beside it. So that of one client can be made anew while the rest of an index stays.
"""

from dataclasses import dataclass

import numpy as np

from services.contracts.factors import FloatArray
from services.indexer.domain import weighting
from services.indexer.domain.habits import Habits
from services.indexer.domain.histories import Histories
from services.indexer.domain.payments import Ints, Mask, Pairs, Payments, Period, pairs_of
from services.indexer.domain.weighting import Floats

# To be counted on whenever the same payments come to other histories: they must not stand beside those of a build.
RULES = 1
NO_FLOATS = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class HistoryRules:
    """Of one model. dense: the dense id of each company by its number; the first `indexed` dense ids have factors.

    Without habits it can rank only companies that a client never paid; for decay see weighting.recency.
    """

    period: Period
    decay: float | None
    dense: Ints
    indexed: int
    habits: Habits | None

    def histories(self, payments: Payments) -> Histories:
        """Of payments in order. Some clients at a time: what is held of all of them is the outcome alone."""
        sizes = np.zeros(payments.clients, dtype=np.int64)
        columns: list[tuple[Ints, FloatArray, FloatArray]] = [(self.dense[:0], NO_FLOATS, NO_FLOATS)]
        for part in payments.by_clients():
            pairs = pairs_of(part)
            begins = pairs.first_of_client
            sizes[pairs.client[begins]] = np.diff(begins, append=len(pairs))
            columns.append(self._columns(part, pairs))
        return Histories(np.append(0, np.cumsum(sizes)), *map(np.concatenate, zip(*columns, strict=True)))

    def _columns(self, payments: Payments, pairs: Pairs) -> tuple[Ints, FloatArray, FloatArray]:
        """Dense ids, weights and habits of all pairs, by client and dense id."""
        company = self.dense[pairs.company]
        weights = weighting.recency(self.period, pairs, self.decay) * _damping(pairs, company < self.indexed)
        order = np.argsort(pairs.client.astype(np.int64) * len(self.dense) + company)
        habits = self.habits.of(payments, pairs) if self.habits else np.zeros(len(pairs))
        return company[order], weights[order].astype(np.float32), habits[order].astype(np.float32)


def _damping(pairs: Pairs, is_indexed: Mask) -> Floats:
    """Of a client of many companies, each weighs less; those outside the index weigh nothing."""
    begins = pairs.first_of_client
    breadth = np.add.reduceat(is_indexed, begins, dtype=np.int64)
    damping = np.repeat(weighting.damped(breadth, weighting.CLIENT_POWER), np.diff(begins, append=len(pairs)))
    return damping * is_indexed
