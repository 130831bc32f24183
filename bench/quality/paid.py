"""Who paid whom before the cut, as the matrix that most methods begin with, and lists from their scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from services.indexer.domain.evaluation import Task
from services.indexer.domain.payments import Payments, pairs_of

Floats = NDArray[np.float64]
LongInts = NDArray[np.int64]
Matrix = sparse.csr_matrix[np.float64]
# Clients, what is asked of them and how many places: a list of companies each, best first.
Ranker = Callable[[LongInts, Task, int], list[list[int]]]
# Of some clients: (clients, columns), larger is better.
Scoring = Callable[[LongInts], Floats]

MOST_CELLS = 4_000_000
FADING = 4.0  # a payment counts exp(-4 x its age in shares of the span)


@dataclass(frozen=True, slots=True)
class Paid:
    """The pairs by client and column. Columns are the companies paid, the most popular first: so ties go to them.

    numbers: the company of each column. age: since the pair's newest payment, in shares of the span. count: of its
    payments; faded: the same, each counted less the older it is.
    """

    clients: int
    client: LongInts
    column: LongInts
    age: Floats
    count: Floats
    faded: Floats
    numbers: LongInts

    def matrix(self, values: Floats) -> Matrix:
        """(clients, columns) with these values of the pairs."""
        return sparse.csr_matrix((values, (self.client, self.column)), shape=(self.clients, len(self.numbers)))

    def ones(self) -> Matrix:
        """(clients, columns): 1 where there is a pair."""
        return self.matrix(np.ones(len(self.client)))


def paid_of(payments: Payments) -> Paid:
    """From payments in order. Popular is who has many clients; of equals the first by code."""
    pairs = pairs_of(payments)
    clients_of = np.bincount(pairs.company, minlength=payments.companies)
    numbers = np.lexsort((np.arange(payments.companies), -clients_of))[: np.count_nonzero(clients_of)].astype(np.int64)
    column_of = np.zeros(payments.companies, dtype=np.int64)
    column_of[numbers] = np.arange(len(numbers))
    column = column_of[pairs.company]
    order = np.lexsort((column, pairs.client))
    span = max(payments.newest - payments.first, 1)
    age = (payments.newest - pairs.last_at) / span
    count = np.bincount(pairs.pair_of_row, minlength=len(pairs)).astype(np.float64)
    fading = np.exp(-FADING * (payments.newest - payments.at) / span)
    faded = np.bincount(pairs.pair_of_row, fading, minlength=len(pairs)).astype(np.float64)
    client = pairs.client.astype(np.int64)
    return Paid(payments.clients, client[order], column[order], age[order], count[order], faded[order], numbers)


def ranker(paid: Paid, score: Scoring) -> Ranker:
    """Lists by score; for `new` without the companies that the client paid."""
    ones = paid.ones()

    def lists(clients: LongInts, task: Task, k: int) -> list[list[int]]:
        found: list[list[int]] = []
        step = max(1, MOST_CELLS // max(len(paid.numbers), paid.clients))
        for start in range(0, len(clients), step):
            some = clients[start : start + step]
            scores = score(some)
            if task == "new":
                scores[ones[some][:, : scores.shape[1]].nonzero()] = -np.inf
            found += [paid.numbers[best(row, k)].tolist() for row in scores]
        return found

    return lists


def best(scores: Floats, k: int) -> LongInts:
    """The places of the k largest of them, largest first, the first of equals; none that is minus infinity."""
    least = np.partition(scores, -k)[-k] if len(scores) > k else -np.inf
    places = np.flatnonzero((scores >= least) & (scores > -np.inf))
    return places[np.argsort(-scores[places], kind="stable")][:k]
