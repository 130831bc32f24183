"""Lists of companies for many clients at once, by the exact score: what a trial of a model needs, without an index."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from services.contracts.ranking import NEGLIGIBLE, FloatArray, IntArray, lengths_of, unit_queries
from services.indexer.domain.evaluation import LIST_LENGTH
from services.indexer.domain.model import Model
from services.indexer.domain.payments import LongInts

CLIENTS_AT_ONCE = 256


def new_companies(model: Model, clients: LongInts) -> IntArray:
    """(clients, 10): dense ids of indexed companies that they never paid, best first; -1 where there are no more.

    As ranking.rank orders them: after those that the model speaks for come the popular ones.
    """
    paid = model.histories.matrix(len(model.companies.numbers))[clients]
    return np.concatenate([np.empty((0, LIST_LENGTH), np.int32), *_blocks(model, paid)])


def _blocks(model: Model, paid: "sparse.csr_matrix[np.float32]") -> Iterator[IntArray]:
    indexed = model.companies.indexed
    popular = model.companies.popular[model.companies.popular < indexed]
    unpopularity = np.empty(indexed, dtype=np.float32)
    unpopularity[popular] = -np.arange(1, indexed + 1)
    negligible = NEGLIGIBLE * lengths_of(model.target).astype(np.float32)
    for first in range(0, paid.shape[0], CLIENTS_AT_ONCE):
        some = paid[first : first + CLIENTS_AT_ONCE, :indexed]
        scores: FloatArray = unit_queries(some @ model.source) @ model.target.T
        rows = np.repeat(np.arange(some.shape[0]), np.diff(some.indptr))
        scores = np.where(scores > negligible, scores, unpopularity)
        scores[rows, some.indices] = -np.inf
        yield _best(scores)


def _best(scores: FloatArray) -> IntArray:
    count = min(LIST_LENGTH, scores.shape[1])
    found = np.full((len(scores), LIST_LENGTH), -1, dtype=np.int32)
    if not count:
        return found
    nearest = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)
    values = np.take_along_axis(scores, nearest, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.take_along_axis(nearest, order, axis=1)
    found[:, :count] = np.where(np.isneginf(np.take_along_axis(values, order, axis=1)), -1, best)
    return found
