"""Lists of new companies for many clients at once, each the same to the last bit as ranking.rank gives it exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from services.contracts.candidate_lists import FROM_HISTORY, LIST_LENGTH, MODELLED, NOBODY, CandidateLists
from services.contracts.choosing import Chooser
from services.contracts.factors import Factors, FloatArray, IntArray
from services.contracts.scoring import best, client_queries, scored
from services.indexer.domain.histories import Histories
from services.indexer.domain.model import Model
from services.indexer.domain.payments import LongInts, Payments

# Of clients x companies scored at once: what the processor's caches hold.
SCORES_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True)
class Lists:
    """Three arrays of (clients, length), best first: dense ids, scores and kinds; see contracts.candidate_lists."""

    companies: IntArray
    scores: FloatArray
    kinds: NDArray[np.uint8]


def new_lists(factors: Factors, histories: Histories, clients: LongInts, length: int) -> Lists:
    """Of companies that the clients never paid; a client a row, in the order given."""
    at_once = max(SCORES_AT_ONCE // max(len(factors.target), 1), 1)
    parts = [
        _some(factors, histories.of_clients(clients[first : first + at_once]), length)
        for first in range(0, len(clients), at_once)
    ]
    if not parts:
        parts = [_nothing(0, length)]
    return Lists(*(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True)))


def lists_ahead(model: Model, payments: Payments, most_scores: int) -> CandidateLists:
    """Of as many clients as that many scores reach for: those who paid last come first; payments in order."""
    newest = np.full(payments.clients, np.iinfo(np.int64).min)
    begins = np.flatnonzero(np.diff(payments.client, prepend=-1))
    newest[payments.client[begins]] = np.maximum.reduceat(payments.at, begins)
    affordable = most_scores // max(model.companies.indexed, 1)
    clients = np.sort(np.argsort(-newest, kind="stable")[:affordable])
    rows = np.full(payments.clients, NOBODY, dtype=np.int32)
    rows[clients] = np.arange(len(clients), dtype=np.int32)
    made = new_lists(model.served_through(None), model.histories, clients, LIST_LENGTH)
    return CandidateLists(rows, made.companies, made.scores, made.kinds)


def _columns(lists: Lists) -> tuple[IntArray, FloatArray, NDArray[np.uint8]]:
    return lists.companies, lists.scores, lists.kinds


def _nothing(clients: int, length: int) -> Lists:
    shape = (clients, length)
    return Lists(np.full(shape, NOBODY, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.uint8))


def _some(factors: Factors, histories: Histories, length: int) -> Lists:
    begins, companies = histories.offsets[:-1], histories.companies
    asked = client_queries(factors, companies, histories.weights, begins)
    lower = asked @ factors.target.T
    lower -= factors.doubt
    owners = np.repeat(np.arange(len(begins)), np.diff(histories.offsets))
    inside = companies < len(factors.target)
    lower[owners[inside], companies[inside]] = -np.inf
    rows, places = best(lower, factors.doubt, length)
    exact = scored(factors, asked[rows], places)
    order = np.lexsort((places, -exact.scores, rows))
    order = order[exact.speaks[order]]
    ranks = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    order, ranks = order[ranks < length], ranks[ranks < length]
    found = _nothing(len(begins), length)
    cells = rows[order], ranks
    found.companies[cells] = places[order]
    found.scores[cells] = exact.scores[order]
    found.kinds[cells] = np.where(exact.from_history[order], FROM_HISTORY, MODELLED)
    _fill(found, factors.popular, histories)
    return found


def _fill(lists: Lists, popular: IntArray, histories: Histories) -> None:
    """What lacks is filled as ranking.rank fills it."""
    length = lists.companies.shape[1]
    sizes = (lists.companies != NOBODY).sum(axis=1)
    for client in np.flatnonzero(sizes < length).tolist():
        size = int(sizes[client])
        taken = frozenset(_paid(histories, client)).union(lists.companies[client, :size].tolist())
        fill = list(islice(Chooser(taken).chosen(map(int, popular)), length - size))
        lists.companies[client, size : size + len(fill)] = fill
        lists.scores[client, size : size + len(fill)] = -1.0 - np.arange(len(fill))


def _paid(histories: Histories, client: int) -> Iterator[int]:
    return iter(histories.of(client).companies.tolist())
