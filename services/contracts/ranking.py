"""How companies are ranked for a client: one code for the indexer that judges it and the recommender that serves it.

The model is a linear autoencoder (EASE, Steck 2019, https://arxiv.org/abs/1905.03375) in factors: score(client, j) is
the sum over the client's history of weight_i x source_i . target_j, on one scale for all clients, and a part that is
the company's alone: its popularity, in the last number of its target. Annoy proposes, and the companies of the longest
targets are proposed to all; the same product, computed exactly, orders.

A company's score is above 0 when the model or a habit speaks for it. It depends on the client and on include_paid,
not on what else is asked. Popular companies that fill a list have -1, -2, ...
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import floor

import numpy as np
from numpy.typing import NDArray

from services.contracts.choosing import Chooser

CANDIDATES = 200
# So many companies of the longest targets are always looked at.
LONGEST = 1000
MAX_REASONS = 3
# Of the length of a target: a score that is no more than this is rounding.
NEGLIGIBLE = 1e-6

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Nearest = Callable[[FloatArray, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Factors:
    """The companies of an index. source, target: (indexed, d); popular: all dense ids, most clients first.

    The last number of a source is 0: it is the place of popularity, which no history brings.
    `nearest(vector, count)` gives up to `count` dense ids near a padded query of d + 1 numbers. longest: dense ids.
    negligible: (indexed,), what a score must exceed to be one.
    """

    source: FloatArray
    target: FloatArray
    popular: IntArray
    nearest: Nearest
    habit_weight: float
    longest: NDArray[np.int64] = field(init=False, repr=False)
    negligible: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lengths = lengths_of(self.target)
        object.__setattr__(self, "longest", np.sort(np.argsort(-lengths, kind="stable")[:LONGEST]))
        object.__setattr__(self, "negligible", NEGLIGIBLE * lengths)


@dataclass(frozen=True, slots=True)
class History:
    """What a client paid: dense ids, their weights in its vector, and habits 0..1; three arrays of one length."""

    companies: IntArray
    weights: FloatArray
    habits: FloatArray


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. `allowed`: a mask over all dense ids, or None for no filter; `excluded`: never in the answer.

    `min_score`: None for no limit. max_per_category, category_of: see choosing.Chooser.
    """

    count: int
    include_paid: bool = False
    excluded: frozenset[int] = frozenset()
    allowed: NDArray[np.bool_] | None = None
    min_score: float | None = None
    max_per_category: int = 0
    category_of: IntArray | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A company of the history and the share (0..1) of the positive part of the score that it brought."""

    company: int
    share: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place of the answer. `modelled` is False where nothing but popularity among all speaks for the company."""

    company: int
    score: float
    modelled: bool
    already_paid: bool


def padded(target: FloatArray) -> FloatArray:
    """(n, d) -> (n, d + 1), all of one norm: then the angle to (query, 0) orders as the dot product does.

    Bachrach et al. 2014, https://doi.org/10.1145/2645710.2645741. But those that are always looked at are cut to the
    length of the shortest of them: else a few long ones leave hardly an angle between all the others.
    """
    lengths = lengths_of(target)
    common = np.partition(lengths, -LONGEST)[-LONGEST] if len(lengths) > LONGEST else lengths.max(initial=0.0)
    shares = np.minimum(common / np.maximum(lengths, np.finfo(np.float64).tiny), 1.0)
    rest = np.sqrt(np.maximum(common**2 - (lengths * shares) ** 2, 0.0))
    return np.hstack([target * shares[:, None], rest[:, None]]).astype(np.float32)


def lengths_of(vectors: FloatArray) -> NDArray[np.float64]:
    """Euclidean lengths, (n,), of the rows of (n, d)."""
    lengths: NDArray[np.float64] = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1))
    return lengths


def unit_queries(vectors: FloatArray) -> FloatArray:
    """(n, d) sums of sources -> what asks targets: of length 1, so that popularity weighs alike, and its place is 1.

    Zero stays zero.
    """
    lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    queries: FloatArray = (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    queries[:, -1] = lengths[:, 0] > 0
    return queries


def client_vector(factors: Factors, history: History) -> FloatArray:
    """The client in the space of targets, (d,); zero when no company of the history is in the index."""
    indexed = history.companies < len(factors.source)
    vector: FloatArray = history.weights[indexed] @ factors.source[history.companies[indexed]]
    query: FloatArray = unit_queries(vector[None])[0]
    return query


def rank(factors: Factors, history: History, query: Query) -> list[Ranked]:
    """The best `query.count` companies, best first; ties in order of dense ids. Popular ones fill what lacks."""
    paid = frozenset(history.companies.tolist())
    barred = query.excluded if query.include_paid else query.excluded | paid
    chooser = Chooser(barred, query.category_of, query.max_per_category)
    companies, scores = _spoken_for(factors, history, query)
    order = np.lexsort((companies, -scores))
    places = zip(companies[order].tolist(), scores[order].tolist(), strict=True)
    modelled = (Ranked(j, score, True, j in paid) for j, score in places if chooser.admits(j))
    best = list(islice(modelled, query.count))
    popular = islice(chooser.chosen(_popular(factors, query)), _room(query, len(best)))
    return best + [Ranked(j, -place, False, j in paid) for place, j in enumerate(popular, 1)]


def _room(query: Query, taken: int) -> int:
    """How many popular companies may fill the list: their scores fall by 1 from -1 on."""
    lacking = query.count - taken
    return lacking if query.min_score is None else min(lacking, floor(max(-query.min_score, 0.0)))


def reasons(factors: Factors, history: History, company: int) -> list[Reason]:
    """The companies of the history that most raised a company outside it; none when the model did not score that one.

    What its popularity brought is part of the score, but no reason.
    """
    if company >= len(factors.target):
        return []
    indexed = history.companies < len(factors.source)
    known, weights = history.companies[indexed], history.weights[indexed]
    length = float(np.linalg.norm(weights @ factors.source[known])) or 1.0
    parts = weights * (factors.source[known] @ factors.target[company]) / length
    total = float(parts[parts > 0].sum()) + max(float(factors.target[company, -1]), 0.0)
    best = np.argsort(-parts, kind="stable")[:MAX_REASONS]
    return [Reason(int(known[i]), float(parts[i]) / total) for i in best if parts[i] > 0]


def _spoken_for(factors: Factors, history: History, query: Query) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Companies that the query allows and the model or a habit speaks for, and their scores, in no order."""
    vector = client_vector(factors, history)
    near = _near(factors, history, query, vector)
    candidates = _candidates(factors, query, near)
    if query.include_paid:
        candidates = np.union1d(candidates, history.companies)
    if query.allowed is not None:
        candidates = candidates[query.allowed[candidates]]
    scores = _model_scores(factors, vector, candidates)
    if query.include_paid:
        scores = scores / _peak(factors, history, vector, near) + _habit_scores(factors, history, candidates)
    kept = scores > 0 if query.min_score is None else (scores > 0) & (scores >= query.min_score)
    return candidates[kept], scores[kept]


def _near(factors: Factors, history: History, query: Query, vector: FloatArray) -> NDArray[np.int64]:
    """What is looked at where nothing else is asked; nothing for a client of whom the model knows nothing."""
    if not vector.any():
        return np.empty(0, np.int64)
    wanted = max(CANDIDATES, query.count) + len(history.companies) + len(query.excluded)
    near = np.asarray(factors.nearest(np.append(vector, np.float32(0.0)), wanted), dtype=np.int64)
    return np.union1d(near, factors.longest)


def _candidates(factors: Factors, query: Query, near: NDArray[np.int64]) -> NDArray[np.int64]:
    """All, where so much may be passed over that the near ones do not fill a list."""
    if len(near) and (query.allowed is not None or query.max_per_category):
        return np.arange(len(factors.target))
    return near


def _model_scores(factors: Factors, vector: FloatArray, candidates: NDArray[np.int64]) -> NDArray[np.float64]:
    """(candidates,); 0 where the model does not speak for one: of what no like client paid there is but rounding."""
    scores = np.zeros(len(candidates))
    inside = candidates < len(factors.target)
    products = factors.target[candidates[inside]] @ vector
    scores[inside] = np.where(products > factors.negligible[candidates[inside]], products, 0.0)
    return scores


def _peak(factors: Factors, history: History, vector: FloatArray, near: NDArray[np.int64]) -> float:
    """The client's best score by the model, whatever is asked; 1 where there is none."""
    scores = _model_scores(factors, vector, np.union1d(near, history.companies))
    return float(scores.max(initial=0.0)) or 1.0


def _habit_scores(factors: Factors, history: History, candidates: NDArray[np.int64]) -> NDArray[np.float64]:
    habits = dict(zip(history.companies.tolist(), history.habits.tolist(), strict=True))
    return factors.habit_weight * np.array([habits.get(j, 0.0) for j in candidates.tolist()])


def _popular(factors: Factors, query: Query) -> Iterator[int]:
    popular = factors.popular if query.allowed is None else factors.popular[query.allowed[factors.popular]]
    return map(int, popular)
