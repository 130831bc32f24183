"""Why a list has its strategy."""

from dataclasses import replace

import numpy as np
import pytest

from services.recommender.domain.explaining import Cause, Explanation
from services.recommender.domain.recommending import recommend
from services.recommender.domain.requests import RecommendationRequest
from services.recommender.domain.snapshot import Snapshot
from tests.unit.recommender.snapshots import CLIENT, snapshot


def explained(request: RecommendationRequest, of: Snapshot | None = None) -> Explanation | None:
    return recommend(of or snapshot(), request._replace(with_reasons=True)).explanation


def test_a_list_from_the_history_tells_where_popular_companies_begin() -> None:
    assert explained(RecommendationRequest(5, CLIENT)) == Explanation(Cause.HISTORY, 1, 1, popular_from=2)
    assert explained(RecommendationRequest(1, CLIENT)) == Explanation(Cause.HISTORY, 1, 1, popular_from=0)


@pytest.mark.parametrize(
    "request_", [RecommendationRequest(5, "somebody else"), RecommendationRequest(5, company_codes=("no", "none"))]
)
def test_a_client_or_basket_that_is_not_known_is_told_so(request_: RecommendationRequest) -> None:
    assert explained(request_) == Explanation(Cause.CLIENT_UNKNOWN, 0, 0, popular_from=1)


def test_a_basket_of_which_the_model_knows_nothing_is_told_so() -> None:
    asked = RecommendationRequest(5, company_codes=("d", "e", "no"))

    assert explained(asked) == Explanation(Cause.HISTORY_NOT_INDEXED, 2, 0, popular_from=1)


def test_a_filter_that_leaves_nothing_that_the_history_speaks_for_is_told_so() -> None:
    filled, empty = (
        RecommendationRequest(5, CLIENT, category_ids=(8,)),
        RecommendationRequest(5, CLIENT, category_ids=(9,)),
    )

    assert explained(filled) == Explanation(Cause.NOTHING_LEFT, 1, 1, popular_from=1)
    assert explained(empty) == Explanation(Cause.NOTHING_LEFT, 1, 1, popular_from=0)


def test_a_first_place_that_its_popularity_alone_brought_is_told_so() -> None:
    target = np.array([[1, 0, 0], [0, 1, 0.5], [0.1, 0, 0]], dtype=np.float32)
    known = replace(snapshot().factors, target=target, nearest=lambda vector, count: range(3))

    found = explained(RecommendationRequest(2, CLIENT), replace(snapshot(), factors=known))

    assert found == Explanation(Cause.POPULARITY_LEADS, 1, 1, popular_from=0)


def test_nothing_is_explained_unasked() -> None:
    assert recommend(snapshot(), RecommendationRequest(5, CLIENT)).explanation is None
