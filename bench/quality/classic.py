"""Well-known ways to recommend, in numpy and scipy. Each makes a Ranker of what was paid before the cut."""

import numpy as np
from scipy import sparse

from bench.quality.paid import Floats, LongInts, Paid, Ranker, ranker

NEIGHBOURS = 100
RIDGE = 100.0
# EASE inverts companies x companies: beyond these, the most popular ones must do.
MOST_EASE_COMPANIES = 6_000


def popularity(paid: Paid) -> Ranker:
    """By number of distinct clients."""
    falling = -np.arange(len(paid.numbers), dtype=np.float64)
    return ranker(paid, lambda clients: np.tile(falling, (len(clients), 1)))


def own_history(paid: Paid) -> Ranker:
    """What the client paid, often and lately first; then the popular ones."""
    habits = paid.matrix(paid.faded)
    falling = -np.arange(len(paid.numbers), dtype=np.float64)

    def score(clients: LongInts) -> Floats:
        own = habits[clients].toarray()
        return np.where(own > 0, own, falling)

    return ranker(paid, score)


def item_knn(paid: Paid) -> Ranker:
    """Sum of the cosines to the companies that the client paid."""
    ones = paid.ones()
    lengths = np.sqrt(np.maximum(np.asarray(ones.sum(axis=0)).ravel(), 1.0))
    unit = ones @ sparse.diags_array(1.0 / lengths)
    cosines = sparse.csr_matrix(unit.T @ unit)
    return ranker(paid, lambda clients: (ones[clients] @ cosines).toarray())


def user_knn(paid: Paid) -> Ranker:
    """What the 100 most alike clients paid; rare companies (idf) and recent payments tell more."""
    breadth = np.bincount(paid.column, minlength=len(paid.numbers))
    recent = np.exp(-2.0 * paid.age) + 0.05
    weighted = paid.matrix(recent * np.log(paid.clients / breadth[paid.column] + 1.0))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    unit = sparse.csr_matrix(sparse.diags_array(1.0 / np.maximum(lengths, 1e-12)) @ weighted)
    others, votes = sparse.csr_matrix(unit.T), paid.matrix(recent)

    def score(clients: LongInts) -> Floats:
        alike = (unit[clients] @ others).toarray()
        alike[np.arange(len(clients)), clients] = 0.0
        if alike.shape[1] > NEIGHBOURS:
            alike[alike < np.partition(alike, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS, None]] = 0.0
        return (sparse.csr_matrix(alike) @ votes).toarray()

    return ranker(paid, score)


def ease(paid: Paid) -> Ranker:
    """Steck 2019, https://arxiv.org/abs/1905.03375, exactly."""
    ones = sparse.csr_matrix(paid.ones()[:, :MOST_EASE_COMPANIES])
    gram = (ones.T @ ones).toarray()
    gram[np.diag_indices_from(gram)] += RIDGE
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return ranker(paid, lambda clients: np.asarray(ones[clients] @ weights))
