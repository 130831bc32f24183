"""The answer to one request from one snapshot."""

from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np

from services.contracts.choosing import Limit
from services.contracts.factors import Factors, History
from services.contracts.ranking import FROM_HISTORY, POPULAR, Places, Query, Reason, ranked, reasons
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.explaining import Explanation, explain
from services.recommender.domain.requests import MAX_COMPANY_CODES, RecommendationRequest
from services.recommender.domain.snapshot import Snapshot

NO_HISTORY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32))
# The weights and habits of the largest basket.
ALIKE, NO_HABITS = np.ones(MAX_COMPANY_CODES, np.float32), np.zeros(MAX_COMPANY_CODES, np.float32)


class Strategy(IntEnum):
    """How a place of the list came about. Whole numbers, as what is kept by them is found three times as fast."""

    COLLABORATIVE = auto()  # the model, from what like clients pay
    HISTORY = auto()  # the client pays the company already
    POPULAR = auto()  # nothing but what most clients pay


class Recommendation(NamedTuple):
    """One place; `company` is its dense id. `reasons`: what of the history speaks for it, when they were asked for.

    None where the client pays the company already, which is the reason, and where only popularity speaks for it.
    """

    company: int
    score: float
    strategy: Strategy
    reasons: tuple[Reason, ...]
    already_paid: bool


# By their numbers; there is no 0.
BY_NUMBER = (Strategy.POPULAR, *Strategy)
# For bytes.translate, of the kinds of new companies' places.
OF_KIND = bytes(Strategy.COLLABORATIVE if kind == FROM_HISTORY else Strategy.POPULAR for kind in range(256))


class Recommendations(NamedTuple):
    """Best first, in columns: `ranked`, and a Strategy for each place. `reasons`, `explanation`: where asked for."""

    ranked: Places
    strategies: bytes
    client_known: bool
    reasons: tuple[tuple[Reason, ...], ...] = ()
    explanation: Explanation | None = None

    @property
    def strategy(self) -> Strategy:
        """That of the first place, which rules the list."""
        return leading(self.strategies)

    @property
    def places(self) -> tuple[Recommendation, ...]:
        """One by one."""
        companies, scores, _, paid = self.ranked
        reasons = self.reasons or ((),) * len(companies)
        strategies = map(BY_NUMBER.__getitem__, self.strategies)
        return tuple(map(Recommendation, companies, scores, strategies, reasons, map(bool, paid)))


def recommend(snapshot: Snapshot, request: RecommendationRequest) -> Recommendations:
    """Answers a checked request. Who is not known gets the popular companies; that is no error."""
    known = _history(snapshot, request)
    history = NO_HISTORY if known is None else snapshot.fresh.with_successors(known)
    places = _listed(snapshot, request)
    if places is None:
        places = ranked(snapshot.factors, history, _query(snapshot, request))
    strategies = _strategies(places)
    if not request.with_reasons:
        return Recommendations(places, strategies, known is not None)
    factors = snapshot.factors
    why = tuple(_why(factors, history, *each) for each in zip(places.companies, strategies, strict=True))
    popular_leads = strategies[:1] == bytes([Strategy.POPULAR])
    told = explain(known, len(factors.target), places.kinds, popular_leads=popular_leads)
    return Recommendations(places, strategies, known is not None, why, told)


def strategies_of_new(places: Places) -> bytes:
    """A Strategy for each place, all of companies that are new to the client.

    Whether the history brought something of a score, or the company's popularity all of it.
    """
    return places.kinds.translate(OF_KIND)


def leading(strategies: bytes) -> Strategy:
    """That of the first place, which rules the list; POPULAR for an empty list."""
    return BY_NUMBER[strategies[0]] if strategies else Strategy.POPULAR


def _strategies(places: Places) -> bytes:
    strategies = strategies_of_new(places)
    if not any(places.paid):
        return strategies
    columns = zip(strategies, places.kinds, places.paid, strict=True)
    return bytes(Strategy.HISTORY if paid and kind != POPULAR else strategy for strategy, kind, paid in columns)


def _query(snapshot: Snapshot, request: RecommendationRequest) -> Query:
    catalogue, excluded = snapshot.catalogue, snapshot.fresh.barred
    if request.exclude_company_codes:
        excluded = excluded.union(catalogue.known(request.exclude_company_codes))
    return Query(
        count=request.max_results,
        include_paid=request.include_paid,
        excluded=excluded,
        allowed=catalogue.mask(request.category_ids, request.only_company_codes),
        min_score=request.min_score,
        limit=Limit(catalogue.category_of, request.max_per_category) if request.max_per_category else None,
    )


def _listed(snapshot: Snapshot, request: RecommendationRequest) -> Places | None:
    """The list made ahead for the client; None when there is none that holds what is asked."""
    if not request.client_id or not request.is_plain:
        return None
    row = snapshot.row_of_list(request.client_id, request.max_results)
    return None if row is None else snapshot.lists.places(row, request.max_results)


def _history(snapshot: Snapshot, request: RecommendationRequest) -> History | None:
    if request.client_id:
        return snapshot.history(request.client_id)
    return basket(snapshot.catalogue, request.company_codes)


def basket(catalogue: Catalogue, company_codes: tuple[str, ...]) -> History | None:
    """A history of the known companies, all of one weight and without a habit; None when none is known."""
    companies = catalogue.known(company_codes)
    if not companies:
        return None
    return History(np.array(companies, dtype=np.int32), ALIKE[: len(companies)], NO_HABITS[: len(companies)])


def _why(factors: Factors, history: History, company: int, strategy: int) -> tuple[Reason, ...]:
    return tuple(reasons(factors, history, company)) if strategy == Strategy.COLLABORATIVE else ()
