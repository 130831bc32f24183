"""Batches, similar companies, and what the service tells of its index and in its metrics."""

from datetime import UTC, datetime

import grpc
import pytest
from prometheus_client import REGISTRY

from afin.recommender.v1 import recommender_pb2 as pb
from tests.integration.recommender.bundles import (
    CLIENTS,
    COMPANIES,
    DIMENSION,
    GROUP_SIZE,
    INDEXED,
    QUALITY,
    client_of,
    code_of,
)
from tests.integration.recommender.serving import Recommender, refusal


async def similar_to(recommender: Recommender, dense: int, count: int) -> list[pb.SimilarCompany]:
    request = pb.SimilarCompaniesRequest(company_code=code_of(dense), max_results=count)
    answer = await recommender.stub.SimilarCompanies(request, timeout=20)
    return list(answer.companies)


async def test_a_batch_is_answered_in_the_order_asked(recommender: Recommender) -> None:
    clients = [client_of(2), "never seen", client_of(0), client_of(1)]
    batch = pb.BatchRecommendRequest(
        requests=[pb.RecommendRequest(client_id=client, max_results=5) for client in clients]
    )

    answer = await recommender.stub.BatchRecommend(batch, timeout=20)

    categories = [{place.category_id for place in each.recommendations} for each in answer.responses]
    assert [categories[0], categories[2], categories[3]] == [{30}, {10}, {20}]
    assert [each.client_known for each in answer.responses] == [True, False, True, True]


async def test_a_batch_of_a_hundred_is_answered_alike_to_single_calls(recommender: Recommender) -> None:
    request = pb.RecommendRequest(client_id=client_of(1), max_results=10)

    answer = await recommender.stub.BatchRecommend(pb.BatchRecommendRequest(requests=[request] * 100), timeout=20)

    single = await recommender.recommend(client_id=client_of(1))
    for each in (single, *answer.responses):
        each.ClearField("recommendation_id")  # its own
    assert list(answer.responses) == [single] * 100


async def test_the_companies_of_the_same_group_are_the_most_similar(recommender: Recommender) -> None:
    found = await similar_to(recommender, GROUP_SIZE, GROUP_SIZE - 1)

    assert {company.category_id for company in found} == {20}
    assert all(company.similarity > 0.9 for company in found)


async def test_similar_companies_come_best_first_and_never_the_company_itself(recommender: Recommender) -> None:
    found = await similar_to(recommender, GROUP_SIZE, 100)

    similarities = [company.similarity for company in found]
    assert similarities == sorted(similarities, reverse=True)
    assert code_of(GROUP_SIZE) not in {company.company_code for company in found}
    assert len(found) == INDEXED - 1


async def test_a_company_outside_the_index_is_likened_by_category_and_amount(recommender: Recommender) -> None:
    found = await similar_to(recommender, INDEXED, GROUP_SIZE + 1)

    nearest_amounts = [code_of(dense) for dense in reversed(range(GROUP_SIZE))]
    assert [company.company_code for company in found[:GROUP_SIZE]] == nearest_amounts
    assert found[GROUP_SIZE].company_code == code_of(INDEXED - 1)
    assert {company.similarity for company in found} == {0.0}


async def test_an_unknown_company_is_not_found(recommender: Recommender) -> None:
    request = pb.SimilarCompaniesRequest(company_code="no such", max_results=5)

    refused = await refusal(recommender.stub.SimilarCompanies(request, timeout=20))

    assert refused.code == grpc.StatusCode.NOT_FOUND
    assert refused.reason == "COMPANY_NOT_FOUND"
    assert "'no such'" in refused.message


async def test_the_index_tells_its_size_quality_and_age(recommender: Recommender) -> None:
    asked_at = datetime.now(UTC)

    info = await recommender.stub.GetIndexInfo(pb.GetIndexInfoRequest(), timeout=20)

    assert (info.companies, info.indexed_companies) == (COMPANIES, INDEXED)
    assert (info.clients, info.dimension) == (CLIENTS + 1, DIMENSION)
    assert info.ndcg_new == pytest.approx(QUALITY["ndcg"])
    assert info.popularity_ndcg_new == pytest.approx(QUALITY["popularity_ndcg"])
    assert info.index.epoch == 4
    assert info.search == "annoy"
    assert 0 <= (asked_at - info.loaded_at.ToDatetime(UTC)).total_seconds() < 60


async def test_lists_are_counted_by_their_strategy(recommender: Recommender) -> None:
    labels = {"strategy": "popular", "variant": "main"}
    before = REGISTRY.get_sample_value("afin_recommender_recommendations_total", labels) or 0

    await recommender.recommend(client_id="never seen")

    assert REGISTRY.get_sample_value("afin_recommender_recommendations_total", labels) == before + 1


async def test_metrics_tell_the_epoch_in_service(recommender: Recommender) -> None:
    assert REGISTRY.get_sample_value("afin_recommender_index_epoch") == 4
    loaded = REGISTRY.get_sample_value("afin_recommender_snapshot_loaded_timestamp_seconds")
    assert loaded == pytest.approx(datetime.now(UTC).timestamp(), abs=60)
