"""What is newer than the index counts before it: histories of clients, and companies that went."""

from dataclasses import replace

import numpy as np
import pytest

from services.contracts.bundle import LedgerPlace
from services.contracts.client_keys import client_key
from services.contracts.factors import History
from services.contracts.fresh import Fresh, FreshColumns, FreshHeader
from services.recommender.domain.overlay import Overlay
from services.recommender.domain.recommending import recommend
from services.recommender.domain.requests import RecommendationRequest, SimilarityRequest
from services.recommender.domain.similarity import similar
from services.recommender.domain.snapshot import Snapshot
from tests.unit.recommender.snapshots import CLIENT, NOON, publication, snapshot

EVERYTHING = 5


def overlay(histories: dict[str, list[int]] | None = None, went: dict[int, int] | None = None) -> Overlay:
    """Histories of weight 1 by client; companies that went with their successors, -1 for none."""
    rows = sorted((client_key(client), companies) for client, companies in (histories or {}).items())
    companies = np.array([company for _, paid in rows for company in paid], dtype=np.int32)
    ones, barred = np.ones(len(companies), dtype=np.float32), sorted((went or {}).items())
    header = FreshHeader(
        version=publication(1).version, number=9, behind=LedgerPlace(sequence=1, load_id="run", committed_at=NOON),
        erasures=(), changed_at=NOON, clients=len(rows), pairs=len(companies), barred=len(barred),
    )  # fmt: skip
    columns = FreshColumns(
        keys=np.array([key for key, _ in rows], dtype=np.uint64).reshape(-1, 2),
        offsets=np.cumsum([0, *(len(paid) for _, paid in rows)], dtype=np.int64),
        companies=companies,
        weights=ones,
        habits=ones,
        barred=np.array([company for company, _ in barred], dtype=np.int32),
        successors=np.array([successor for _, successor in barred], dtype=np.int32),
    )
    return Overlay.of(Fresh(header, columns))


def under(newer: Overlay) -> Snapshot:
    return replace(snapshot(), fresh=newer)


def recommended(index: Snapshot, request: RecommendationRequest) -> list[int]:
    return [place.company for place in recommend(index, request).places]


def test_a_client_is_answered_from_its_newer_history() -> None:
    answer = recommend(under(overlay({CLIENT: [1, 4]})), RecommendationRequest(EVERYTHING, CLIENT))

    assert answer.client_known
    assert {place.company for place in answer.places} == {0, 2, 3}


def test_a_client_of_whom_the_index_does_not_know_becomes_known() -> None:
    index = under(overlay({"newcomer": [0]}))

    assert recommend(index, RecommendationRequest(EVERYTHING, "newcomer")).client_known
    assert not recommend(index, RecommendationRequest(EVERYTHING, "nobody")).client_known


def test_a_client_without_payments_any_more_is_unknown() -> None:
    answer = recommend(under(overlay({CLIENT: []})), RecommendationRequest(EVERYTHING, CLIENT))

    assert not answer.client_known
    assert len(answer.places) == EVERYTHING


@pytest.mark.parametrize(
    "request_",
    [
        RecommendationRequest(EVERYTHING, CLIENT),
        RecommendationRequest(EVERYTHING, CLIENT, include_paid=True),
        RecommendationRequest(EVERYTHING, "nobody"),
        RecommendationRequest(EVERYTHING, company_codes=("b",)),
        RecommendationRequest(EVERYTHING, CLIENT, category_ids=(7,)),
        RecommendationRequest(EVERYTHING, CLIENT, only_company_codes=("a", "b", "d", "e"), include_paid=True),
        RecommendationRequest(EVERYTHING, CLIENT, exclude_company_codes=("c",), max_per_category=1),
    ],
)
@pytest.mark.parametrize("went", [0, 1, 3])
def test_a_company_that_went_is_in_no_list(request_: RecommendationRequest, went: int) -> None:
    index = under(overlay(went={went: -1}))

    assert went not in recommended(index, request_)
    others = [company for company in recommended(snapshot(), request_) if company != went]
    assert set(others) <= set(recommended(index, request_))


def test_who_paid_under_an_old_code_is_not_told_of_its_successor_as_if_it_were_new() -> None:
    index = under(overlay(went={0: 1}))

    assert 1 not in recommended(index, RecommendationRequest(EVERYTHING, CLIENT))
    assert 1 in recommended(index, RecommendationRequest(EVERYTHING, "nobody"))


def test_who_asks_for_paid_companies_gets_the_successor_of_one_that_was_merged_as_paid() -> None:
    answer = recommend(under(overlay(went={0: 1})), RecommendationRequest(EVERYTHING, CLIENT, include_paid=True))

    assert [place.company for place in answer.places if place.already_paid] == [1]
    assert 0 not in [place.company for place in answer.places]


def test_a_successor_is_paid_once_and_weighs_nothing_beside_the_codes_that_gave_way_to_it() -> None:
    paid = History(np.array([0, 2, 3], np.int32), np.ones(3, np.float32), np.array([0.25, 0.5, 0.75], np.float32))

    found = overlay(went={0: 4, 3: 4}).with_successors(paid)

    assert found.companies.tolist() == [0, 2, 3, 4]
    assert found.weights.tolist() == [1, 1, 1, 0]
    assert found.habits.tolist() == [0.25, 0.5, 0.75, 0.75]


def test_a_successor_that_is_paid_itself_stays_as_it_is() -> None:
    numbers = np.array([0.25, 0.5], np.float32)
    paid = History(np.array([0, 4], np.int32), numbers, numbers)

    found = overlay(went={0: 4}).with_successors(paid)

    assert [each.tolist() for each in (found.companies, found.weights, found.habits)] == [
        [0, 4],
        [0.25, 0.5],
        [0.25, 0.5],
    ]


def test_a_company_that_went_may_still_be_a_reason() -> None:
    answer = recommend(under(overlay(went={0: -1})), RecommendationRequest(EVERYTHING, CLIENT, with_reasons=True))

    assert [why.company for why in answer.places[0].reasons] == [0]


def test_companies_that_went_are_like_no_other() -> None:
    everything = [each.company for each in similar(snapshot(), 0, SimilarityRequest("a", EVERYTHING))]
    left = [each.company for each in similar(under(overlay(went={1: -1, 3: 2})), 0, SimilarityRequest("a", EVERYTHING))]

    assert left == [company for company in everything if company not in {1, 3}]
