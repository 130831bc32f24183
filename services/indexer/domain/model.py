"""The model of one set of payments: dense ids, factors, popularity and histories, as a bundle holds them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts import ranking
from services.indexer.domain import weighting
from services.indexer.domain.cooccurrence import Symmetric, client_matrix, cooccurrence
from services.indexer.domain.embedding import Decomposition, FloatArray, decompose, factors
from services.indexer.domain.engine import LOCAL, Engine
from services.indexer.domain.histories import Histories
from services.indexer.domain.payments import Ints, LongInts, Mask, Pairs, Payments, Period, pairs_of
from services.indexer.domain.weighting import Floats

# Weight of a habit beside the model's score (both at most 1), where paid companies may be recommended.
HABIT_WEIGHT = 2.0
NO_FLOATS = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a person chooses: the most factors, the fewest clients of an indexed company, the seed of the iteration."""

    dimension: int
    min_clients: int
    seed: int


@dataclass(frozen=True, slots=True)
class Companies:
    """`numbers`: the company of each dense id; the first `indexed` have factors. `popular`: most clients first."""

    numbers: LongInts
    indexed: int
    popular: Ints
    scale: Floats


@dataclass(frozen=True, slots=True)
class Model:
    """All that ranks. source, target: (indexed, d)."""

    companies: Companies
    histories: Histories
    source: FloatArray
    target: FloatArray

    def served_through(self, nearest: ranking.Nearest) -> ranking.Factors:
        """As the recommender sees it, with `nearest` made from ranking.padded(target)."""
        return ranking.Factors(self.source, self.target, self.companies.popular, nearest, HABIT_WEIGHT)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model but for its shrinkage, which alone is chosen by trial."""

    companies: Companies
    histories: Histories
    decomposition: Decomposition

    def model(self, shrinkage: float) -> Model:
        """The model with this shrinkage."""
        source, target = factors(self.decomposition, self.companies.scale, shrinkage)
        return Model(self.companies, self.histories, source, target)


@dataclass(frozen=True, slots=True)
class CountedTogether:
    """What is known before the decomposition: which companies are paid by the same clients, and how much."""

    companies: Companies
    histories: Histories
    squared: Symmetric

    def prepared(self, shape: Shape) -> Prepared:
        """With its decomposition."""
        decomposition = decompose(self.squared, shape.dimension, shape.seed)
        return Prepared(self.companies, self.histories, decomposition)


def count_together(
    payments: Payments, listed: NDArray[np.integer], min_clients: int, engine: Engine = LOCAL
) -> CountedTogether:
    """From payments in order. `listed`: the companies to number, ascending, among them all that were paid."""
    companies = _companies(payments, np.asarray(listed, dtype=np.int64), min_clients)
    histories = _histories(payments, companies)
    matrix = client_matrix(histories.offsets, histories.companies, histories.weights, companies.scale)
    return CountedTogether(companies, histories, cooccurrence(matrix, engine))


def prepare(payments: Payments, listed: NDArray[np.integer], shape: Shape, engine: Engine = LOCAL) -> Prepared:
    """See count_together."""
    return count_together(payments, listed, shape.min_clients, engine).prepared(shape)


def _companies(payments: Payments, listed: LongInts, min_clients: int) -> Companies:
    clients = np.zeros(payments.companies, dtype=np.int64)
    for part in payments.by_clients():
        clients += np.bincount(pairs_of(part).company, minlength=payments.companies)
    clients = clients[listed]
    is_indexed = clients >= min_clients
    order = np.argsort(~is_indexed, kind="stable")
    numbers, clients, indexed = listed[order], clients[order], int(is_indexed.sum())
    popular = np.lexsort((numbers, -clients)).astype(np.int32)
    return Companies(numbers, indexed, popular, weighting.damped(clients[:indexed], weighting.COMPANY_POWER))


def _histories(payments: Payments, companies: Companies) -> Histories:
    """Some clients at a time: what is held of all of them is the outcome alone."""
    dense = np.full(payments.companies, -1, dtype=np.int32)
    dense[companies.numbers] = np.arange(len(companies.numbers), dtype=np.int32)
    sizes = np.zeros(payments.clients, dtype=np.int64)
    period = payments.period
    columns: list[tuple[Ints, FloatArray, FloatArray]] = [(dense[:0], NO_FLOATS, NO_FLOATS)]
    for part in payments.by_clients():
        pairs = pairs_of(part)
        begins = pairs.first_of_client
        sizes[pairs.client[begins]] = np.diff(begins, append=len(pairs))
        company = dense[pairs.company]
        weights = _weights(period, pairs, company < companies.indexed)
        order = np.argsort(pairs.client.astype(np.int64) * len(dense) + company)
        habits = weighting.habits(period, part, pairs)
        columns.append((company[order], weights[order].astype(np.float32), habits[order].astype(np.float32)))
    return Histories(np.append(0, np.cumsum(sizes)), *map(np.concatenate, zip(*columns, strict=True)))


def _weights(period: Period, pairs: Pairs, is_indexed: Mask) -> Floats:
    begins = pairs.first_of_client
    breadth = np.add.reduceat(is_indexed, begins, dtype=np.int64)
    damping = np.repeat(weighting.damped(breadth, weighting.CLIENT_POWER), np.diff(begins, append=len(pairs)))
    weights: Floats = np.where(is_indexed, weighting.recency(period, pairs) * damping, 0.0)
    return weights
