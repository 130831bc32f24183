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
from services.indexer.domain.payments import Ints, LongInts, Pairs, Payments, pairs_of
from services.indexer.domain.weighting import Floats

# Weight of a habit beside the model's score (both at most 1), where paid companies may be recommended.
HABIT_WEIGHT = 2.0


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
    pairs = pairs_of(payments)
    companies = _companies(payments, pairs, np.asarray(listed, dtype=np.int64), min_clients)
    histories = _histories(payments, pairs, companies)
    matrix = client_matrix(histories.offsets, histories.companies, histories.weights, companies.scale)
    return CountedTogether(companies, histories, cooccurrence(matrix, engine))


def prepare(payments: Payments, listed: NDArray[np.integer], shape: Shape, engine: Engine = LOCAL) -> Prepared:
    """See count_together."""
    return count_together(payments, listed, shape.min_clients, engine).prepared(shape)


def _companies(payments: Payments, pairs: Pairs, listed: LongInts, min_clients: int) -> Companies:
    clients = np.bincount(pairs.company, minlength=payments.companies)[listed]
    is_indexed = clients >= min_clients
    order = np.argsort(~is_indexed, kind="stable")
    numbers, clients, indexed = listed[order], clients[order], int(is_indexed.sum())
    popular = np.lexsort((numbers, -clients)).astype(np.int32)
    return Companies(numbers, indexed, popular, weighting.damped(clients[:indexed], weighting.COMPANY_POWER))


def _histories(payments: Payments, pairs: Pairs, companies: Companies) -> Histories:
    dense = np.full(payments.companies, -1, dtype=np.int32)
    dense[companies.numbers] = np.arange(len(companies.numbers), dtype=np.int32)
    company = dense[pairs.company]
    inside = company < companies.indexed
    breadth = np.bincount(pairs.client[inside], minlength=payments.clients)
    damping = weighting.damped(breadth, weighting.CLIENT_POWER)[pairs.client]
    weights = np.where(inside, weighting.recency(payments, pairs) * damping, 0.0)
    order = np.lexsort((company, pairs.client))
    offsets = np.searchsorted(pairs.client, np.arange(payments.clients + 1)).astype(np.int64)
    habits = weighting.habits(payments, pairs)
    return Histories(offsets, company[order], weights[order].astype(np.float32), habits[order].astype(np.float32))
