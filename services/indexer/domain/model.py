"""The model of one set of payments: dense ids, factors, popularity and histories, as a bundle holds them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.bundle import Tuning
from services.contracts.factors import Factors, Nearest
from services.indexer.domain import weighting
from services.indexer.domain.cooccurrence import Symmetric, client_matrix, cooccurrence
from services.indexer.domain.embedding import Decomposition, FloatArray, decompose, factors
from services.indexer.domain.engine import LOCAL, Engine
from services.indexer.domain.habits import Habits
from services.indexer.domain.histories import Histories
from services.indexer.domain.history_rules import HistoryRules
from services.indexer.domain.payments import Ints, LongInts, Payments, pairs_of
from services.indexer.domain.weighting import Floats

# Weight of a habit beside the model's score (both at most 1), where paid companies may be recommended.
HABIT_WEIGHT = 8.0
# So many clients tell how far the scores of companies lie apart.
SAMPLE_CLIENTS = 512


@dataclass(frozen=True, slots=True)
class Shape:
    """What a person chooses: the most factors, the fewest clients of an indexed company, the seed of the iteration."""

    dimension: int
    min_clients: int
    seed: int


@dataclass(frozen=True, slots=True)
class Known:
    """What a model is made from: payments in order, and the numbers of the companies that it is to know, ascending.

    Among these are all that were paid. Without habits it can rank only companies that a client never paid.
    """

    payments: Payments
    listed: NDArray[np.integer]
    habits: Habits | None


@dataclass(frozen=True, slots=True)
class Companies:
    """`numbers`: the company of each dense id; the first `indexed` have factors. `popular`: most clients first.

    Of the indexed, clients: how many each has; scale: how much less a company of many of them counts; trend: how new
    its clients are beside those of the middle company, 1.
    """

    numbers: LongInts
    indexed: int
    popular: Ints
    clients: LongInts
    scale: Floats
    trend: Floats


@dataclass(frozen=True, slots=True)
class Model:
    """All that ranks. source, target: (indexed, d); the last number is popularity's."""

    companies: Companies
    histories: Histories
    source: FloatArray
    target: FloatArray

    def served_through(self, nearest: Nearest | None) -> Factors:
        """As the recommender sees it, with `nearest` made from factors.padded(target); None: exactly."""
        return Factors(self.source, self.target, self.companies.popular, nearest, HABIT_WEIGHT)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model but for what can be tried without another decomposition."""

    companies: Companies
    histories: Histories
    decomposition: Decomposition

    def model(self, tuning: Tuning) -> Model:
        """The model of this tuning; its decay must be that of the decomposition."""
        source, target = factors(self.decomposition, self.companies.scale, tuning.shrinkage)
        target *= (self.companies.trend**tuning.trend).astype(np.float32)[:, None]
        prior = weighting.popularity(self.companies.clients) * tuning.popularity * self._spread(source, target)
        source = np.hstack([source, np.zeros((len(source), 1), dtype=np.float32)])
        target = np.hstack([target, prior[:, None].astype(np.float32)])
        return Model(self.companies, self.histories, source, target)

    def _spread(self, source: FloatArray, target: FloatArray) -> float:
        """How far a company's score is from 0, over companies and clients (root of the mean square)."""
        some = self.histories.matrix(len(self.companies.numbers))[:SAMPLE_CLIENTS, : self.companies.indexed]
        queries = some @ source
        lengths = np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        queries /= lengths
        squares = (queries @ (target.T @ target)) * queries
        return float(np.sqrt(squares.sum(dtype=np.float64) / max(len(queries) * len(target), 1)))


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


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known of each client alone: whom it paid, and what that says of it."""

    companies: Companies
    histories: Histories

    def counted_together(self, engine: Engine = LOCAL) -> CountedTogether:
        """With what is known over clients."""
        histories = self.histories
        matrix = client_matrix(histories.offsets, histories.companies, histories.weights, self.companies.scale)
        return CountedTogether(self.companies, histories, cooccurrence(matrix, engine))


def weigh(known: Known, min_clients: int, decay: float | None) -> Weighed:
    """Companies of fewer clients than `min_clients` are not indexed; for decay see weighting.recency."""
    companies = _companies(known, min_clients)
    return Weighed(companies, _history_rules(known, companies, decay).histories(known.payments))


def prepare(known: Known, shape: Shape, decay: float | None, engine: Engine = LOCAL) -> Prepared:
    """See weigh."""
    return weigh(known, shape.min_clients, decay).counted_together(engine).prepared(shape)


def _companies(known: Known, min_clients: int) -> Companies:
    listed = known.listed.astype(np.int64)
    clients, newcomers = _counted(known.payments)
    clients, newcomers = clients[listed], newcomers[listed]
    is_indexed = clients >= min_clients
    order = np.argsort(~is_indexed, kind="stable")
    numbers, clients, newcomers, indexed = listed[order], clients[order], newcomers[order], int(is_indexed.sum())
    popular = np.lexsort((numbers, -clients)).astype(np.int32)
    clients, newcomers = clients[:indexed], newcomers[:indexed]
    scale, trend = weighting.damped(clients, weighting.COMPANY_POWER), weighting.trend(newcomers, clients)
    return Companies(numbers, indexed, popular, clients, scale, trend)


def _counted(payments: Payments) -> tuple[LongInts, Floats]:
    """The clients of each company by its number, and those among them who came lately."""
    clients, newcomers, period = np.zeros(payments.companies, np.int64), np.zeros(payments.companies), payments.period
    for part in payments.by_clients():
        pairs = pairs_of(part)
        clients += np.bincount(pairs.company, minlength=part.companies)
        fresh = weighting.newcomers(period, part.at[pairs.first_rows])
        newcomers += np.bincount(pairs.company, fresh, part.companies)
    return clients, newcomers


def _history_rules(known: Known, companies: Companies, decay: float | None) -> HistoryRules:
    dense = np.full(known.payments.companies, -1, dtype=np.int32)
    dense[companies.numbers] = np.arange(len(companies.numbers), dtype=np.int32)
    return HistoryRules(known.payments.period, decay, dense, companies.indexed, known.habits)
