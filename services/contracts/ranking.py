"""How companies are ranked for a client: one code for the indexer that judges it and the recommender that serves it.

The model is a linear autoencoder (EASE, Steck 2019, https://arxiv.org/abs/1905.03375) in factors: score(client, j) is
the sum over the client's history of weight_i x source_i . target_j, on one scale for all clients, and a part that is
the company's alone: its popularity, in the last number of its target. Annoy proposes, and the companies of the longest
targets are proposed to all; the same product, computed exactly, orders.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 200
# So many companies of the longest targets are always looked at.
LONGEST = 1000
MAX_REASONS = 3
# Of the largest score: what is no more than this is rounding.
NEGLIGIBLE = 1e-6
LEAST_SCORE = 1e-12

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Nearest = Callable[[FloatArray, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Factors:
    """The companies of an index. source, target: (indexed, d); popular: all dense ids, most clients first.

    The last number of a source is 0: it is the place of popularity, which no history brings.
    `nearest(vector, count)` gives up to `count` dense ids near a padded query of d + 1 numbers. longest: dense ids.
    """

    source: FloatArray
    target: FloatArray
    popular: IntArray
    nearest: Nearest
    habit_weight: float
    longest: NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        order = np.argsort(-_lengths(self.target), kind="stable")
        object.__setattr__(self, "longest", np.sort(order[:LONGEST]))


@dataclass(frozen=True, slots=True)
class History:
    """What a client paid: dense ids, their weights in its vector, and habits 0..1; three arrays of one length."""

    companies: IntArray
    weights: FloatArray
    habits: FloatArray


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. `allowed`: a mask over all dense ids, or None for no filter; `excluded`: never in the answer."""

    count: int
    include_paid: bool = False
    excluded: frozenset[int] = frozenset()
    allowed: NDArray[np.bool_] | None = None


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
    lengths = _lengths(target)
    common = np.partition(lengths, -LONGEST)[-LONGEST] if len(lengths) > LONGEST else lengths.max(initial=0.0)
    shares = np.minimum(common / np.maximum(lengths, np.finfo(np.float64).tiny), 1.0)
    rest = np.sqrt(np.maximum(common**2 - (lengths * shares) ** 2, 0.0))
    return np.hstack([target * shares[:, None], rest[:, None]]).astype(np.float32)


def _lengths(vectors: FloatArray) -> NDArray[np.float64]:
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
    vector = client_vector(factors, history)
    companies, scores = _modelled(factors, history, query, vector) if vector.any() else _habits(history, query)
    order = np.lexsort((companies, -scores))
    places = ((int(companies[i]), float(scores[i])) for i in order)
    best = list(islice((Ranked(j, score, True, j in paid) for j, score in places if j not in barred), query.count))
    taken = barred | {place.company for place in best}
    lowest = min((place.score for place in best), default=0.0)
    popular = _popular(factors, query, taken, query.count - len(best))
    return best + [Ranked(j, lowest - 1 - place, False, j in paid) for place, j in enumerate(popular)]


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


def _modelled(
    factors: Factors, history: History, query: Query, vector: FloatArray
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Those that something speaks for. Of a company that no like client paid, the score is 0 but for rounding."""
    candidates = _candidates(factors, history, query, vector)
    if query.include_paid:
        candidates = np.union1d(candidates, history.companies)
    if query.allowed is not None:
        candidates = candidates[query.allowed[candidates]]
    scores = np.zeros(len(candidates))
    inside = candidates < len(factors.target)
    scores[inside] = factors.target[candidates[inside]] @ vector
    scores = np.where(scores > NEGLIGIBLE * np.abs(scores).max(initial=0.0), scores, 0.0)
    if query.include_paid:
        scores = scores / max(scores.max(initial=0.0), LEAST_SCORE) + _habit_scores(factors, history, candidates)
    spoken_for = scores > 0
    return candidates[spoken_for], scores[spoken_for]


def _candidates(factors: Factors, history: History, query: Query, vector: FloatArray) -> NDArray[np.int64]:
    if query.allowed is not None:  # a filter may leave none of the nearest: look at all
        return np.arange(len(factors.target))
    wanted = max(CANDIDATES, query.count) + len(history.companies) + len(query.excluded)
    near = np.asarray(factors.nearest(np.append(vector, np.float32(0.0)), wanted), dtype=np.int64)
    return np.union1d(near, factors.longest)


def _habit_scores(factors: Factors, history: History, candidates: NDArray[np.int64]) -> NDArray[np.float64]:
    habits = dict(zip(history.companies.tolist(), history.habits.tolist(), strict=True))
    return factors.habit_weight * np.array([habits.get(j, 0.0) for j in candidates.tolist()])


def _habits(history: History, query: Query) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    companies = history.companies.astype(np.int64)
    if query.allowed is None:
        return companies, history.habits.astype(np.float64)
    kept = query.allowed[companies]
    return companies[kept], history.habits[kept].astype(np.float64)


def _popular(factors: Factors, query: Query, barred: frozenset[int], count: int) -> list[int]:
    allowed = factors.popular if query.allowed is None else factors.popular[query.allowed[factors.popular]]
    return list(islice((j for j in map(int, allowed) if j not in barred), max(count, 0)))
