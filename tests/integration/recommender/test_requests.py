"""Requests that are wrong are refused with the field that is."""

import grpc
import pytest

from afin.recommender.v1 import recommender_pb2 as pb
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import client_of, code_of
from tests.integration.recommender.serving import RARELY, Recommender, refusal, serving

CLIENT = {"client_id": client_of(0)}


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({**CLIENT, "max_results": 0}, "max_results"),
        ({**CLIENT, "max_results": -1}, "max_results"),
        ({**CLIENT, "max_results": 101}, "max_results"),
        ({}, "client_id"),
        ({"client_id": "  "}, "client_id"),
        ({"client_id": "x" * 129}, "client_id"),
        ({**CLIENT, "company_codes": [code_of(0)]}, "company_codes"),
        ({"company_codes": [code_of(0)] * 101}, "company_codes"),
        ({"company_codes": [code_of(0), ""]}, "company_codes[1]"),
        ({"company_codes": ["x" * 129]}, "company_codes[0]"),
        ({**CLIENT, "exclude_company_codes": ["x"] * 1001}, "exclude_company_codes"),
        ({**CLIENT, "exclude_company_codes": ["x", "y", " "]}, "exclude_company_codes[2]"),
        ({**CLIENT, "only_company_codes": ["x"] * 1001}, "only_company_codes"),
        ({**CLIENT, "only_company_codes": ["x" * 129]}, "only_company_codes[0]"),
        ({**CLIENT, "category_ids": range(101)}, "category_ids"),
        ({**CLIENT, "min_score": float("nan")}, "min_score"),
        ({**CLIENT, "min_score": float("inf")}, "min_score"),
        ({**CLIENT, "max_per_category": -1}, "max_per_category"),
        ({**CLIENT, "max_per_category": 101}, "max_per_category"),
    ],
)
async def test_a_wrong_field_is_named(recommender: Recommender, request_fields: dict[str, object], field: str) -> None:
    refused = await refusal(recommender.recommend(**request_fields))

    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.field == field
    assert refused.message.startswith(f"{field}: ")


async def test_the_widest_request_that_is_allowed_is_answered(recommender: Recommender) -> None:
    answer = await recommender.recommend(
        company_codes=[code_of(0), *("é" * 128 for _ in range(99))],
        max_results=100,
        exclude_company_codes=["x" * 128] * 1000,
        only_company_codes=["é" * 128] * 1000,
        category_ids=range(100),
    )

    assert answer.client_known


async def test_a_refused_client_id_is_not_repeated_in_the_error(recommender: Recommender) -> None:
    refused = await refusal(recommender.recommend(client_id="secret" * 30))

    assert "secret" not in refused.message


async def test_a_wrong_request_of_a_batch_is_named_by_its_place(recommender: Recommender) -> None:
    right = pb.RecommendRequest(client_id=client_of(0), max_results=1)
    wrong = pb.RecommendRequest(client_id=client_of(0), max_results=0)
    batch = pb.BatchRecommendRequest(requests=[right, right, right, wrong])

    refused = await refusal(recommender.stub.BatchRecommend(batch, timeout=20))

    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.field == "requests[3].max_results"


@pytest.mark.parametrize("size", [0, 101])
async def test_a_batch_holds_one_to_a_hundred_requests(recommender: Recommender, size: int) -> None:
    batch = pb.BatchRecommendRequest(requests=[pb.RecommendRequest(client_id="x", max_results=1)] * size)

    refused = await refusal(recommender.stub.BatchRecommend(batch, timeout=20))

    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.field == "requests"


async def test_a_batch_asks_for_two_thousand_results_at_most(recommender: Recommender) -> None:
    wide = [pb.RecommendRequest(client_id=client_of(0), max_results=100)] * 21

    refused = await refusal(recommender.stub.BatchRecommend(pb.BatchRecommendRequest(requests=wide), timeout=20))

    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.field == "requests"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.SimilarCompaniesRequest(company_code=" ", max_results=5), "company_code"),
        (pb.SimilarCompaniesRequest(company_code="x" * 129, max_results=5), "company_code"),
        (pb.SimilarCompaniesRequest(company_code=code_of(0)), "max_results"),
        (pb.SimilarCompaniesRequest(company_code=code_of(0), max_results=5, category_ids=range(101)), "category_ids"),
        (
            pb.SimilarCompaniesRequest(company_code=code_of(0), max_results=5, exclude_company_codes=[" "]),
            "exclude_company_codes[0]",
        ),
    ],
)
async def test_a_wrong_field_of_a_question_for_similar_companies_is_named(
    recommender: Recommender, request_: pb.SimilarCompaniesRequest, field: str
) -> None:

    refused = await refusal(recommender.stub.SimilarCompanies(request_, timeout=20))

    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.field == field


async def test_a_wrong_request_is_wrong_without_an_index_too(
    object_store: LocalObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with serving(object_store, tmp_path_factory.mktemp("cache"), RARELY) as recommender:
        refused = await refusal(recommender.recommend(client_id="x", max_results=0))

    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
