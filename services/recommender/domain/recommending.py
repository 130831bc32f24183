"""The answer to one request from one snapshot."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from services.contracts.ranking import History, Query, Ranked, Reason, rank, reasons
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.requests import RecommendationRequest
from services.recommender.domain.snapshot import Snapshot

NO_HISTORY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32))


class Strategy(Enum):
    """How a place of the list came about."""

    COLLABORATIVE = auto()  # the model, from what like clients pay
    HISTORY = auto()  # the client pays the company already
    POPULAR = auto()  # nothing but what most clients pay


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One place; `company` is its dense id. `reasons`: what of the history speaks for it.

    None where the client pays the company already, which is the reason, and where only popularity speaks for it.
    """

    company: int
    score: float
    strategy: Strategy
    reasons: tuple[Reason, ...]
    already_paid: bool


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Best first. `strategy`: that of the first place, which rules the list; POPULAR for an empty list."""

    places: tuple[Recommendation, ...]
    client_known: bool

    @property
    def strategy(self) -> Strategy:
        """How the list as a whole came about."""
        return self.places[0].strategy if self.places else Strategy.POPULAR


def recommend(snapshot: Snapshot, request: RecommendationRequest) -> Recommendations:
    """Answers a checked request. Who is not known gets the popular companies; that is no error."""
    known = _history(snapshot, request)
    history = NO_HISTORY if known is None else known
    query = Query(
        count=request.max_results,
        include_paid=request.include_paid,
        excluded=frozenset(snapshot.catalogue.known(request.exclude_company_codes)),
        allowed=snapshot.catalogue.mask(request.category_ids),
    )
    ranked = rank(snapshot.factors, history, query)
    return Recommendations(tuple(_explained(snapshot, history, place) for place in ranked), known is not None)


def _history(snapshot: Snapshot, request: RecommendationRequest) -> History | None:
    if request.client_id:
        return snapshot.clients.find(request.client_id)
    return basket(snapshot.catalogue, request.company_codes)


def basket(catalogue: Catalogue, company_codes: tuple[str, ...]) -> History | None:
    """A history of the known companies, all of one weight and without a habit; None when none is known."""
    companies = catalogue.known(company_codes)
    if not companies:
        return None
    weights = np.ones(len(companies), dtype=np.float32)
    return History(np.array(companies, dtype=np.int32), weights, np.zeros_like(weights))


def _explained(snapshot: Snapshot, history: History, place: Ranked) -> Recommendation:
    is_new = place.modelled and not place.already_paid
    why = tuple(reasons(snapshot.factors, history, place.company)) if is_new else ()
    return Recommendation(place.company, place.score, _strategy(place, why), why, place.already_paid)


def _strategy(place: Ranked, why: tuple[Reason, ...]) -> Strategy:
    if place.modelled and place.already_paid:
        return Strategy.HISTORY
    return Strategy.COLLABORATIVE if why else Strategy.POPULAR
