"""How companies are ranked for a client: one code for the indexer that judges it and the recommender that serves it.

The companies of the longest targets are looked at, and where that does not tell which are the best, those that Annoy
proposes (or all); the product of their targets and the client's query, computed exactly, orders. See scorer.pyi.

A company's score is above 0 when the model or a habit speaks for it. It depends on the client and on include_paid,
not on what else is asked. Popular companies that fill a list have -1, -2, ...
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import floor
from operator import neg
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.contracts.choosing import Chooser, Limit
from services.contracts.factors import Factors, FloatArray, History, IntArray
from services.contracts.scoring import best_of_one

CANDIDATES = 50
MAX_REASONS = 3
# A share of the companies, one of so many, below which their rows are picked out before they are multiplied.
FEW = 4

# Kinds of places: popular ones fill what lacks; the model speaks for the others, by the history or without it.
POPULAR, MODELLED, FROM_HISTORY = 0, 1, 2

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. `allowed`: a mask over all dense ids, or None for no filter; `excluded`: never in the answer.

    `min_score`, `limit` of companies of one category: None for none.
    """

    count: int
    include_paid: bool = False
    excluded: frozenset[int] = frozenset()
    allowed: NDArray[np.bool_] | None = None
    min_score: float | None = None
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A company of the history and the share (0..1) of the positive part of the score that it brought."""

    company: int
    share: float


class Ranked(NamedTuple):
    """One place of the answer. `modelled` is False where nothing but popularity among all speaks for the company.

    from_history: the client's history raised the score, not only the company's own popularity.
    """

    company: int
    score: float
    modelled: bool
    already_paid: bool
    from_history: bool = False


class Places(NamedTuple):
    """All places of an answer, best first, in columns: dense ids, scores, kinds, and 1 for what is paid already."""

    companies: list[int]
    scores: list[float]
    kinds: bytes
    paid: bytes

    @classmethod
    def of_new(cls, companies: list[int], scores: list[float], kinds: bytes) -> "Places":
        """Of companies that the client pays none of."""
        return cls(companies, scores, kinds, bytes(len(companies)))

    def first(self, count: int) -> "Places":
        """The first ones."""
        return Places(self.companies[:count], self.scores[:count], self.kinds[:count], self.paid[:count])

    def each(self) -> Iterator[Ranked]:
        """One by one."""
        for company, score, kind, paid in zip(*self, strict=True):
            yield Ranked(company, score, kind != POPULAR, bool(paid), kind == FROM_HISTORY)


NOTHING = Places([], [], b"", b"")


def rank(factors: Factors, history: History, query: Query) -> list[Ranked]:
    """The places of `ranked`, one by one."""
    return list(ranked(factors, history, query).each())


def ranked(factors: Factors, history: History, query: Query) -> Places:
    """The best `query.count` companies, best first; ties in order of dense ids. Popular ones fill what lacks."""
    asked = factors.scorer.query(history.companies, history.weights)
    found = (_of_all if query.include_paid else _new)(factors, history, query, asked)
    if query.min_score is not None:
        found = found.first(bisect_right(found.scores, -query.min_score, key=neg))
    if query.limit is None and len(found.companies) >= query.count:
        places = found.first(query.count)
    else:
        places = _chosen(factors, history, query, found)
    if not query.include_paid:
        return places
    paid = frozenset(history.companies.tolist())
    return places._replace(paid=bytes(company in paid for company in places.companies))


def _chosen(factors: Factors, history: History, query: Query, found: Places) -> Places:
    """What a limit admits of those found, and what fills the list, most clients first."""
    closed = query.excluded if query.include_paid else query.excluded.union(history.companies.tolist())
    chooser = Chooser(closed, query.limit)
    rows = zip(found.companies, found.scores, found.kinds, strict=True)
    admitted = list(islice((row for row in rows if chooser.admits(row[0])), query.count))
    fill: list[int] = []
    if room := _room(query, len(admitted)):
        popular = factors.popular if query.allowed is None else factors.popular[query.allowed[factors.popular]]
        fill = list(islice(chooser.chosen(map(int, chooser.promising(popular))), room))
    return Places.of_new(
        [company for company, _, _ in admitted] + fill,
        [score for _, score, _ in admitted] + [float(-place) for place in range(1, len(fill) + 1)],
        bytes(kind for _, _, kind in admitted) + bytes(len(fill)),
    )


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
    strongest = np.argsort(-parts, kind="stable")[:MAX_REASONS]
    return [Reason(int(known[i]), float(parts[i]) / total) for i in strongest if parts[i] > 0]


def _new(factors: Factors, history: History, query: Query, asked: FloatArray) -> Places:
    """Companies that the client never paid."""
    return _modelled(factors, asked, query, _barred(history, query))


def _of_all(factors: Factors, history: History, query: Query, asked: FloatArray) -> Places:
    """Those it paid, too: scores as shares of the client's best one, whatever is asked, and habits beside them."""
    paid = history.companies
    new = _modelled(factors, asked, query, _barred(history, query), paid=len(paid))
    own = np.zeros(len(paid))
    indexed = np.flatnonzero(paid < len(factors.target))
    exact, own_kinds = factors.scorer.scored(asked, paid[indexed].astype(np.int64))
    own[indexed] = np.where(own_kinds == POPULAR, 0, exact)
    best = _modelled(factors, asked, Query(1), paid).scores[:1]
    peak = max(*best, float(own.max(initial=0.0)), 0.0) or 1.0
    may = ~np.isin(paid, _numbers(query.excluded))
    if query.allowed is not None:
        may &= query.allowed[paid]
    habits = own / peak + factors.habit_weight * history.habits
    scores = np.concatenate([np.array(new.scores) / peak, habits[may]]).astype(np.float32)
    companies = np.concatenate([np.array(new.companies, dtype=np.int64), paid[may]])
    kinds = np.frombuffer(new.kinds + bytes([MODELLED]) * np.count_nonzero(may), dtype=np.uint8)
    order = np.lexsort((companies, -scores))
    order = order[scores[order] > 0]
    return Places.of_new(companies[order].tolist(), scores[order].tolist(), kinds[order].tobytes())


def _modelled(factors: Factors, asked: FloatArray, query: Query, barred: IntArray, paid: int = 0) -> Places:
    """Enough of the indexed companies for the best to be among them; none of those barred.

    All are looked at where so much may be passed over that a list is not filled by those near.
    """
    if not asked[-1]:
        return NOTHING

    def among_all(asking: FloatArray) -> Ints:
        return _among_all(factors, asking, query, barred, paid)

    if query.allowed is not None or query.limit is not None:
        return Places.of_new(*factors.scorer.ranked(asked, among_all(asked)))
    near, others = max(CANDIDATES, 2 * query.count) + len(barred), factors.nearest
    nearest = (lambda asking: others(asking, near)) if others else (lambda asking: among_all(asking).tolist())
    return Places.of_new(*factors.scorer.ranked_near(asked, barred, query.count, nearest))


def _among_all(factors: Factors, asked: FloatArray, query: Query, barred: IntArray, paid: int) -> Ints:
    """Of all companies those that may be among the best; where few are open, only these are multiplied.

    paid: companies that may take places of their categories, where there is a limit.
    """
    is_open = np.ones(len(factors.target), dtype=np.bool_)
    if query.allowed is not None:
        is_open &= query.allowed[: len(is_open)]
    is_open[barred[barred < len(is_open)]] = False
    doubt = factors.scorer.doubt
    if np.count_nonzero(is_open) * FEW > len(is_open):
        companies = np.arange(len(is_open))
        lower = factors.target @ asked - doubt
        lower[~is_open] = -np.inf
    else:
        companies = np.flatnonzero(is_open)
        doubt = doubt[companies]
        lower = factors.target[companies] @ asked - doubt
    count = query.count
    if query.limit is not None:
        count += paid
        kept, more = query.limit.may_be_first(companies, lower, doubt, count)
        companies, lower, doubt = companies[kept], lower[kept], doubt[kept]
        count += more
    return companies[best_of_one(lower, doubt, count)]


def _barred(history: History, query: Query) -> IntArray:
    """What the model need not look at."""
    return np.concatenate([history.companies, _numbers(query.excluded)]) if query.excluded else history.companies


def _numbers(companies: frozenset[int]) -> IntArray:
    return np.array(list(companies), dtype=np.int32)
