"""Matrices of clients and companies, and what numpy makes of them whole."""

import numpy as np
from scipy import sparse

from services.indexer.domain.cooccurrence import Matrix
from services.indexer.domain.weighting import Floats


def random_matrix(clients: int, companies: int, seed: int = 0) -> Floats:
    """A third of the cells are between 0 and 1, the others 0."""
    rng = np.random.default_rng(seed)
    return rng.random((clients, companies)) * (rng.random((clients, companies)) < 0.3)


def sparse_pairs(clients: int, companies: int, pairs: int, seed: int = 0) -> Matrix:
    """Popular companies are the first; every client leans to one of eight groups."""
    rng = np.random.default_rng(seed)
    client = rng.integers(clients, size=pairs)
    company = (companies * rng.random(pairs) ** 3).astype(np.int64)
    company = np.where(rng.random(pairs) < 0.7, company // 8 * 8 + client % 8, company) % companies
    cells = 0.05 + rng.random(pairs)
    return sparse.csr_matrix((cells, (client, company)), shape=(clients, companies))
