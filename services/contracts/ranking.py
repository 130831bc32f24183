"""How companies are ranked for a client: one code for the indexer that judges it and the recommender that serves it.

Annoy proposes, and the companies of the longest targets are proposed to all (or all companies are looked at); the
product of their targets and the client's query, computed exactly, orders. See factors and scoring.

A company's score is above 0 when the model or a habit speaks for it. It depends on the client and on include_paid,
not on what else is asked. Popular companies that fill a list have -1, -2, ...
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.contracts.choosing import Chooser, Limit
from services.contracts.factors import LONGEST, Factors, FloatArray, History, IntArray
from services.contracts.scoring import best_of_one, client_query, scored

CANDIDATES = 50
MAX_REASONS = 3
# A share of the companies, one of so many, below which their rows are picked out before they are multiplied.
FEW = 4

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


@dataclass(frozen=True, slots=True)
class _Speaking:
    """Companies that something speaks for, in no order; three arrays of one length."""

    companies: Ints
    scores: FloatArray
    from_history: NDArray[np.bool_]

    def in_order(self) -> "_Speaking":
        """Best first; ties in order of dense ids."""
        return self.where(np.lexsort((self.companies, -self.scores)))

    def where(self, rows: "Ints | NDArray[np.bool_]") -> "_Speaking":
        """Some of them."""
        return _Speaking(self.companies[rows], self.scores[rows], self.from_history[rows])


@dataclass(frozen=True, slots=True)
class _Search:
    """For the best `count` companies, none of `barred`. near: how many Annoy is asked for; 0: look at all.

    paid: companies that may take places of their categories, where there is a limit.
    """

    count: int
    barred: IntArray
    allowed: NDArray[np.bool_] | None
    near: int
    limit: Limit | None = None
    paid: int = 0


def rank(factors: Factors, history: History, query: Query) -> list[Ranked]:
    """The best `query.count` companies, best first; ties in order of dense ids. Popular ones fill what lacks."""
    paid = frozenset(history.companies.tolist())
    barred = query.excluded if query.include_paid else query.excluded | paid
    asked = client_query(factors, history.companies, history.weights)
    found = (_of_all if query.include_paid else _new)(factors, history, query, asked)
    chooser = Chooser(barred, query.limit)
    places = list(islice(_places(found.in_order(), query, paid, chooser), query.count))
    room = _room(query, len(places))
    popular = islice(_filling(factors, query, chooser), room) if room else ()
    return places + [Ranked(j, float(-place), False, j in paid) for place, j in enumerate(popular, 1)]


def _places(found: _Speaking, query: Query, paid: frozenset[int], chooser: Chooser) -> Iterator[Ranked]:
    least = 0.0 if query.min_score is None else query.min_score
    rows = zip(found.companies.tolist(), found.scores.tolist(), found.from_history.tolist(), strict=True)
    for company, score, brought in rows:
        if score >= least and chooser.admits(company):
            yield Ranked(company, score, True, company in paid, brought)


def _filling(factors: Factors, query: Query, chooser: Chooser) -> Iterator[int]:
    """What fills a list, most clients first."""
    popular = factors.popular if query.allowed is None else factors.popular[query.allowed[factors.popular]]
    return chooser.chosen(map(int, chooser.promising(popular)))


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


def _new(factors: Factors, history: History, query: Query, asked: FloatArray) -> _Speaking:
    """Companies that the client never paid."""
    barred = _indexed(factors, history.companies)
    if query.excluded:
        barred = np.concatenate([barred, _indexed(factors, _numbers(query.excluded))])
    near = _nearest_wanted(factors, history, query)
    return _modelled(factors, asked, _Search(query.count, barred, query.allowed, near, query.limit))


def _of_all(factors: Factors, history: History, query: Query, asked: FloatArray) -> _Speaking:
    """Those it paid, too: scores as shares of the client's best one, whatever is asked, and habits beside them."""
    inside, excluded = _indexed(factors, history.companies), _numbers(query.excluded)
    near = _nearest_wanted(factors, history, query)
    barred = np.concatenate([_indexed(factors, excluded), inside])
    search = _Search(query.count, barred, query.allowed, near, query.limit, paid=len(history.companies))
    new = _modelled(factors, asked, search)
    own = np.zeros(len(history.companies))
    indexed = np.flatnonzero(history.companies < len(factors.target))
    exact = scored(factors, asked, inside.astype(np.int64))
    own[indexed] = np.where(exact.speaks, exact.scores, 0)
    first = _modelled(factors, asked, _Search(1, inside, None, _nearest_wanted(factors, history, Query(query.count))))
    peak = max(float(first.scores.max(initial=0.0)), float(own.max(initial=0.0))) or 1.0
    may = ~np.isin(history.companies, excluded)
    if query.allowed is not None:
        may &= query.allowed[history.companies]
    habits = own / peak + factors.habit_weight * history.habits
    scores = np.concatenate([new.scores.astype(np.float64) / peak, habits[may]]).astype(np.float32)
    companies = np.concatenate([new.companies, history.companies[may]])
    brought = np.concatenate([new.from_history, np.zeros(np.count_nonzero(may), np.bool_)])
    return _Speaking(companies, scores, brought).where(scores > 0)


def _modelled(factors: Factors, asked: FloatArray, search: _Search) -> _Speaking:
    """Enough of the indexed companies, in no order, for the best to be among them; none of those barred."""
    if not asked[-1]:
        return _Speaking(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.bool_))
    near_enough = factors.nearest is not None and search.near and len(factors.target) > LONGEST
    chosen = (_near if near_enough else _among_all)(factors, asked, search)
    exact = scored(factors, asked, chosen)
    found = _Speaking(chosen, exact.scores, exact.from_history)
    return found if exact.speaks.all() else found.where(exact.speaks)


def _near(factors: Factors, asked: FloatArray, search: _Search) -> Ints:
    """Of the companies always looked at those that may be among the best, and what Annoy finds beside them."""
    longest = factors.longest
    lower = np.empty(len(longest.companies) + 1, dtype=np.float32)  # the last place is that of all others
    np.subtract(longest.target @ asked, longest.doubt, out=lower[:-1])
    lower[longest.rows[search.barred]] = -np.inf
    chosen = longest.companies[best_of_one(lower[:-1], longest.doubt, search.count)]
    found = set(factors.nearest(asked, search.near) if factors.nearest else ())
    found.difference_update(search.barred.tolist())
    others = np.fromiter(found, dtype=np.int64, count=len(found))
    return np.concatenate([chosen, others[longest.rows[others] == len(longest.companies)]])


def _among_all(factors: Factors, asked: FloatArray, search: _Search) -> Ints:
    """Of all companies those that may be among the best; where few are open, only these are multiplied."""
    is_open = np.ones(len(factors.target), dtype=np.bool_)
    if search.allowed is not None:
        is_open &= search.allowed[: len(is_open)]
    is_open[search.barred] = False
    if np.count_nonzero(is_open) * FEW > len(is_open):
        companies, doubt = np.arange(len(is_open)), factors.doubt
        lower = factors.target @ asked - doubt
        lower[~is_open] = -np.inf
    else:
        companies = np.flatnonzero(is_open)
        doubt = factors.doubt[companies]
        lower = factors.target[companies] @ asked - doubt
    count = search.count
    if search.limit is not None:
        count += search.paid
        kept, more = search.limit.may_be_first(companies, lower, doubt, count)
        companies, lower, doubt = companies[kept], lower[kept], doubt[kept]
        count += more
    return companies[best_of_one(lower, doubt, count)]


def _nearest_wanted(factors: Factors, history: History, query: Query) -> int:
    """How many Annoy is asked for; 0 to look at all, where so much may be passed over that a list is not filled."""
    if query.allowed is not None or query.limit is not None:
        return 0
    return max(CANDIDATES, 2 * query.count) + len(history.companies) + len(query.excluded)


def _indexed(factors: Factors, companies: IntArray) -> IntArray:
    return companies[companies < len(factors.target)]


def _numbers(companies: frozenset[int]) -> IntArray:
    return np.array(list(companies), dtype=np.int32)
