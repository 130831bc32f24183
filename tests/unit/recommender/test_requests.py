"""What may be asked."""

import pytest

from services.recommender.domain.requests import (
    InvalidRequest,
    RecommendationRequest,
    SimilarityRequest,
    check_batch,
    check_recommendation,
    check_similar,
)

RIGHT = RecommendationRequest(max_results=1, client_id="x")


@pytest.mark.parametrize(
    "request_",
    [
        RecommendationRequest(max_results=100, client_id="x" * 128),
        RecommendationRequest(max_results=1, company_codes=("x" * 128,) * 100),
        RecommendationRequest(1, "x", exclude_company_codes=("y" * 128,) * 1000, category_ids=tuple(range(100))),
        RecommendationRequest(1, "x", only_company_codes=("y" * 128,) * 1000, min_score=-1e308, max_per_category=100),
    ],
)
def test_the_limits_themselves_are_allowed(request_: RecommendationRequest) -> None:
    check_recommendation(request_)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (RecommendationRequest(0, "x"), "max_results"),
        (RecommendationRequest(101, "x"), "max_results"),
        (RecommendationRequest(1), "client_id"),
        (RecommendationRequest(1, "x" * 129), "client_id"),
        (RecommendationRequest(1, "x", ("y",)), "company_codes"),
        (RecommendationRequest(1, company_codes=("y",) * 101), "company_codes"),
        (RecommendationRequest(1, company_codes=("y", "")), "company_codes[1]"),
        (RecommendationRequest(1, "x", exclude_company_codes=("y",) * 1001), "exclude_company_codes"),
        (RecommendationRequest(1, "x", exclude_company_codes=("y" * 129,)), "exclude_company_codes[0]"),
        (RecommendationRequest(1, "x", only_company_codes=("y",) * 1001), "only_company_codes"),
        (RecommendationRequest(1, "x", only_company_codes=("y", "")), "only_company_codes[1]"),
        (RecommendationRequest(1, "x", category_ids=(1,) * 101), "category_ids"),
        (RecommendationRequest(1, "x", min_score=float("nan")), "min_score"),
        (RecommendationRequest(1, "x", min_score=float("-inf")), "min_score"),
        (RecommendationRequest(1, "x", max_per_category=-1), "max_per_category"),
        (RecommendationRequest(1, "x", max_per_category=101), "max_per_category"),
    ],
)
def test_what_is_beyond_a_limit_is_named(request_: RecommendationRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_recommendation(request_)

    assert caught.value.field == field


def test_a_wrong_field_of_a_batch_is_named_with_its_place() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_batch((RIGHT, RecommendationRequest(1, company_codes=("",))))

    assert caught.value.field == "requests[1].company_codes[0]"


@pytest.mark.parametrize("size", [0, 101])
def test_a_batch_has_one_to_a_hundred_requests(size: int) -> None:
    with pytest.raises(InvalidRequest, match=f"^requests: .*{size or 'none'}"):
        check_batch((RIGHT,) * size)


def test_a_batch_may_ask_for_two_thousand_results_in_all() -> None:
    twenty, one = RIGHT._replace(max_results=20), RIGHT._replace(max_results=21)

    check_batch((twenty,) * 100)
    with pytest.raises(InvalidRequest, match=r"^requests: may ask for 2000 max_results in all, ask for 2001"):
        check_batch((twenty,) * 99 + (one,))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SimilarityRequest("", 1), "company_code"),
        (SimilarityRequest("a", 0), "max_results"),
        (SimilarityRequest("a", 1, category_ids=(1,) * 101), "category_ids"),
        (SimilarityRequest("a", 1, exclude_company_codes=("y",) * 1001), "exclude_company_codes"),
        (SimilarityRequest("a", 1, exclude_company_codes=("",)), "exclude_company_codes[0]"),
    ],
)
def test_a_question_for_similar_companies_is_checked(request_: SimilarityRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_similar(request_)

    assert caught.value.field == field


def test_a_client_id_stands_in_no_repr() -> None:
    assert "secret" not in repr(RecommendationRequest(1, "secret"))
