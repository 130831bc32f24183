"""Lists of new companies for many clients at once, each the same to the last bit as ranking.rank gives it exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from services.contracts.candidate_lists import LIST_LENGTH, NOBODY, CandidateLists
from services.contracts.choosing import Chooser
from services.contracts.factors import Factors, FloatArray, IntArray
from services.contracts.ranking import POPULAR
from services.contracts.scorer import lengths
from services.contracts.scoring import best
from services.indexer.domain.histories import Histories
from services.indexer.domain.model import Model
from services.indexer.domain.payments import LongInts, Payments

# Of clients x companies scored at once: what the processor's caches hold.
SCORES_AT_ONCE = 1 << 21
# So many companies are looked at first, those whose scores can be highest; of large catalogues seldom more are needed.
FIRST = 4096
# More than queries, lengths and scores are rounded by, as a share.
ROUNDED = 1e-5


@dataclass(frozen=True, slots=True)
class Lists:
    """Three arrays of (clients, length), best first: dense ids, scores and kinds; see contracts.candidate_lists."""

    companies: IntArray
    scores: FloatArray
    kinds: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Looked:
    """Companies that are scored: dense ids, ascending, targets and doubts. No other's score is above `rest`, ever."""

    companies: LongInts
    target: FloatArray
    doubt: FloatArray
    rest: float


def new_lists(factors: Factors, histories: Histories, clients: LongInts, length: int) -> Lists:
    """Of companies that the clients never paid; a client a row, in the order given."""
    found, _ = _lists(factors, histories, clients, length, len(clients))
    return found


def lists_ahead(model: Model, payments: Payments, most_scores: int) -> CandidateLists:
    """Of as many clients as that many scores reach for: those who paid last come first; payments in order."""
    newest = np.full(payments.clients, np.iinfo(np.int64).min)
    begins = np.flatnonzero(np.diff(payments.client, prepend=-1))
    newest[payments.client[begins]] = np.maximum.reduceat(payments.at, begins)
    factors = model.served_through(None)
    first = max(len(_first(factors).companies), 1)
    clients = np.argsort(-newest, kind="stable")[: most_scores // first]
    again = (most_scores - first * len(clients)) // max(model.companies.indexed, 1)
    made, sure = _lists(factors, model.histories, clients, LIST_LENGTH, again)
    order = np.flatnonzero(sure)[np.argsort(clients[sure])]
    rows = np.full(payments.clients, NOBODY, dtype=np.int32)
    rows[clients[order]] = np.arange(len(order), dtype=np.int32)
    return CandidateLists(rows, made.companies[order], made.scores[order], made.kinds[order])


def _lists(
    factors: Factors, histories: Histories, clients: LongInts, length: int, again: int
) -> tuple[Lists, NDArray[np.bool_]]:
    """And which of them are sure. Of `again` clients all companies are looked at when the first are not enough."""
    looked = _first(factors)
    found = _in_parts(factors, histories, clients, length, looked)
    sure = found.scores[:, -1] > looked.rest
    anew = np.flatnonzero(~sure)[:again]
    sure[anew] = True
    better = _in_parts(factors, histories, clients[anew], length, _every(factors))
    found.companies[anew], found.scores[anew], found.kinds[anew] = _columns(better)
    _fill(found, factors.popular, histories, clients)
    return found, sure


def _every(factors: Factors) -> _Looked:
    return _Looked(np.arange(len(factors.target)), factors.target, factors.scorer.doubt, -np.inf)


def _first(factors: Factors) -> _Looked:
    """Those whose scores can be highest: a query is of length 1 and, for popularity, 1 more."""
    if len(factors.target) <= 2 * FIRST:
        return _every(factors)
    popularity = factors.target[:, -1].astype(np.float64)
    reach = lengths(factors.target[:, :-1]) * (1 + ROUNDED) + popularity + np.abs(popularity) * ROUNDED
    order = np.argsort(-reach, kind="stable")
    companies = np.sort(order[:FIRST])
    return _Looked(companies, factors.target[companies], factors.scorer.doubt[companies], float(reach[order[FIRST]]))


def _in_parts(factors: Factors, histories: Histories, clients: LongInts, length: int, looked: _Looked) -> Lists:
    at_once = max(SCORES_AT_ONCE // max(len(looked.companies), 1), 1)
    parts = [
        _some(factors, histories.of_clients(clients[first : first + at_once]), length, looked)
        for first in range(0, len(clients), at_once)
    ]
    if not parts:
        parts = [_nothing(0, length)]
    return Lists(*(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True)))


def _columns(lists: Lists) -> tuple[IntArray, FloatArray, NDArray[np.uint8]]:
    return lists.companies, lists.scores, lists.kinds


def _nothing(clients: int, length: int) -> Lists:
    shape = (clients, length)
    return Lists(np.full(shape, NOBODY, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.uint8))


def _some(factors: Factors, histories: Histories, length: int, looked: _Looked) -> Lists:
    begins, paid = histories.offsets[:-1], histories.companies
    asked = factors.scorer.queries(paid, histories.weights, begins)
    lower = asked @ looked.target.T
    lower -= looked.doubt
    owners = np.repeat(np.arange(len(begins)), np.diff(histories.offsets))
    columns = np.searchsorted(looked.companies, paid)
    inside = np.append(looked.companies, NOBODY)[columns] == paid
    lower[owners[inside], columns[inside]] = -np.inf
    rows, places = best(lower, looked.doubt, length)
    companies = looked.companies[places]
    scores, kinds = factors.scorer.scored(asked[rows], companies)
    order = np.lexsort((companies, -scores, rows))
    order = order[kinds[order] != POPULAR]
    ranks = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    order, ranks = order[ranks < length], ranks[ranks < length]
    found = _nothing(len(begins), length)
    cells = rows[order], ranks
    found.companies[cells] = companies[order]
    found.scores[cells] = scores[order]
    found.kinds[cells] = kinds[order]
    return found


def _fill(lists: Lists, popular: IntArray, histories: Histories, clients: LongInts) -> None:
    """What lacks is filled as ranking.rank fills it."""
    length = lists.companies.shape[1]
    sizes = (lists.companies != NOBODY).sum(axis=1)
    for row in np.flatnonzero(sizes < length).tolist():
        size = int(sizes[row])
        taken = frozenset(_paid(histories, int(clients[row]))).union(lists.companies[row, :size].tolist())
        fill = list(islice(Chooser(taken).chosen(map(int, popular)), length - size))
        lists.companies[row, size : size + len(fill)] = fill
        lists.scores[row, size : size + len(fill)] = -1.0 - np.arange(len(fill))


def _paid(histories: Histories, client: int) -> Iterator[int]:
    return iter(histories.of(client).companies.tolist())
