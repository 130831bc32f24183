"""The answer to one request from one snapshot."""

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np

from services.contracts.choosing import Limit
from services.contracts.factors import Factors, History
from services.contracts.ranking import Query, Ranked, Reason, rank, reasons
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.explaining import Explanation, explain
from services.recommender.domain.requests import RecommendationRequest
from services.recommender.domain.snapshot import Snapshot

NO_HISTORY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32))


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


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Best first. `strategy`: that of the first place, which rules the list; POPULAR for an empty list.

    `explanation`: why, when reasons were asked for.
    """

    places: tuple[Recommendation, ...]
    client_known: bool
    explanation: Explanation | None = None

    @property
    def strategy(self) -> Strategy:
        """How the list as a whole came about."""
        return self.places[0].strategy if self.places else Strategy.POPULAR


def recommend(snapshot: Snapshot, request: RecommendationRequest) -> Recommendations:
    """Answers a checked request. Who is not known gets the popular companies; that is no error."""
    known = _history(snapshot, request)
    history = NO_HISTORY if known is None else snapshot.fresh.with_successors(known)
    ranked = _listed(snapshot, request)
    if ranked is None:
        ranked = rank(snapshot.factors, history, _query(snapshot, request))
    strategies = [_strategy(place) for place in ranked]
    if not request.with_reasons:
        return Recommendations(tuple(map(_told, ranked, strategies)), known is not None)
    why = [_why(snapshot.factors, history, *each) for each in zip(ranked, strategies, strict=True)]
    explanation = explain(
        known, len(snapshot.factors.target), ranked, popular_leads=strategies[:1] == [Strategy.POPULAR]
    )
    return Recommendations(tuple(map(_told, ranked, strategies, why)), known is not None, explanation)


def _query(snapshot: Snapshot, request: RecommendationRequest) -> Query:
    catalogue = snapshot.catalogue
    return Query(
        count=request.max_results,
        include_paid=request.include_paid,
        excluded=snapshot.fresh.barred.union(catalogue.known(request.exclude_company_codes)),
        allowed=catalogue.mask(request.category_ids, request.only_company_codes),
        min_score=request.min_score,
        limit=Limit(catalogue.category_of, request.max_per_category) if request.max_per_category else None,
    )


def _listed(snapshot: Snapshot, request: RecommendationRequest) -> list[Ranked] | None:
    """The list made ahead for the client; None when there is none that holds what is asked."""
    if not request.is_plain or not request.client_id:
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
    weights = np.ones(len(companies), dtype=np.float32)
    return History(np.array(companies, dtype=np.int32), weights, np.zeros_like(weights))


def _strategy(place: Ranked) -> Strategy:
    """Of a new company: whether the history brought something of its score, or its popularity all of it."""
    if place.modelled and place.already_paid:
        return Strategy.HISTORY
    return Strategy.COLLABORATIVE if place.from_history else Strategy.POPULAR


def _why(factors: Factors, history: History, place: Ranked, strategy: Strategy) -> tuple[Reason, ...]:
    return tuple(reasons(factors, history, place.company)) if strategy == Strategy.COLLABORATIVE else ()


def _told(place: Ranked, strategy: Strategy, why: tuple[Reason, ...] = ()) -> Recommendation:
    return Recommendation(place.company, place.score, strategy, why, place.already_paid)
