"""What a caller may ask for beside a list: only some companies, reasons, an explanation, and companies like one."""

from collections import Counter
from pathlib import Path

from afin.recommender.v1 import recommender_pb2 as pb
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import (
    COMPANIES,
    GROUP_SIZE,
    INDEXED,
    client_of,
    code_of,
    publish_world,
)
from tests.integration.recommender.serving import Recommender, serving_published
from tests.integration.recommender.test_recommend import codes


async def test_only_the_companies_named_come_those_that_the_model_knows_first(recommender: Recommender) -> None:
    named = [code_of(dense) for dense in (INDEXED, COMPANIES - 1, GROUP_SIZE + 5, GROUP_SIZE)]

    answer = await recommender.recommend(client_id=client_of(1), only_company_codes=[*named, "unknown", named[0]])

    assert codes(answer.recommendations) == [code_of(GROUP_SIZE + 5), code_of(COMPANIES - 1), code_of(INDEXED)]


async def test_only_unknown_companies_give_an_empty_list(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), only_company_codes=["unknown"])

    assert not answer.recommendations


async def test_filters_hold_together(recommender: Recommender) -> None:
    answer = await recommender.recommend(
        client_id=client_of(1),
        only_company_codes=[code_of(dense) for dense in range(INDEXED)],
        category_ids=[30],
        exclude_company_codes=[code_of(2 * GROUP_SIZE)],
        max_results=100,
    )

    assert sorted(codes(answer.recommendations)) == [code_of(2 * GROUP_SIZE + place) for place in range(1, GROUP_SIZE)]


async def test_what_is_excluded_does_not_come_though_it_is_named(recommender: Recommender) -> None:
    both = [code_of(GROUP_SIZE + 5)]

    answer = await recommender.recommend(client_id=client_of(1), only_company_codes=both, exclude_company_codes=both)

    assert not answer.recommendations


async def test_a_filtered_list_is_as_long_as_there_are_companies(recommender: Recommender) -> None:
    named = [code_of(dense) for dense in range(GROUP_SIZE, COMPANIES)]

    answer = await recommender.recommend(client_id=client_of(0), only_company_codes=named, max_results=len(named))

    assert sorted(codes(answer.recommendations)) == named


async def test_a_least_score_of_zero_keeps_popular_companies_from_filling_the_list(recommender: Recommender) -> None:
    full = await recommender.recommend(client_id=client_of(1), max_results=100)
    spoken_for = [place for place in full.recommendations if place.strategy != pb.STRATEGY_POPULAR]

    answer = await recommender.recommend(client_id=client_of(1), max_results=100, min_score=0)

    assert list(answer.recommendations) == spoken_for
    assert [place.score for place in full.recommendations[len(spoken_for) :]] == [
        -1.0 - number for number in range(len(full.recommendations) - len(spoken_for))
    ]


async def test_a_client_that_is_not_known_gets_nothing_above_a_least_score(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id="never seen", min_score=0, with_reasons=True)

    assert not answer.recommendations
    assert answer.explanation.cause == pb.STRATEGY_CAUSE_CLIENT_UNKNOWN


def by_category(answer: pb.RecommendResponse) -> Counter[int]:
    return Counter(place.category_id for place in answer.recommendations if place.HasField("category_id"))


async def test_a_list_holds_no_more_of_a_category_than_asked_for_and_is_filled_from_others(
    recommender: Recommender,
) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=5, max_per_category=2)

    assert len(answer.recommendations) == 5
    assert max(by_category(answer).values()) == 2
    assert [place.category_id for place in answer.recommendations[:2]] == [20, 20]


async def test_a_limit_of_categories_holds_within_filters(recommender: Recommender) -> None:
    answer = await recommender.recommend(
        client_id=client_of(1), max_results=100, category_ids=[10, 30], max_per_category=3
    )

    assert by_category(answer) == {10: 3, 30: 3}


async def test_the_service_limits_categories_where_a_request_does_not(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=4)
    async with serving_published(object_store, tmp_path / "cache", max_per_category=1) as recommender:
        usual = await recommender.recommend(client_id=client_of(1))
        asked = await recommender.recommend(client_id=client_of(1), max_per_category=2)

    assert by_category(usual) == {10: 1, 20: 1, 30: 1}
    assert by_category(asked) == {10: 2, 20: 2, 30: 2}


async def test_reasons_and_the_explanation_come_only_when_asked_for(recommender: Recommender) -> None:
    plain = await recommender.recommend(client_id=client_of(1))
    told = await recommender.recommend(client_id=client_of(1), with_reasons=True)

    assert told.recommendations[0].reasons
    assert not any(place.reasons for place in plain.recommendations)
    assert not plain.HasField("explanation")
    assert [place.strategy for place in plain.recommendations] == [place.strategy for place in told.recommendations]


async def test_the_explanation_tells_what_there_was_to_go_by(recommender: Recommender) -> None:
    basket = [code_of(GROUP_SIZE), code_of(INDEXED), "unknown"]

    answer = await recommender.recommend(company_codes=basket, max_results=100, with_reasons=True)

    modelled = sum(place.strategy == pb.STRATEGY_COLLABORATIVE for place in answer.recommendations)
    assert answer.explanation == pb.StrategyExplanation(
        cause=pb.STRATEGY_CAUSE_HISTORY, history_companies=2, history_indexed=1, popular_from=modelled + 1
    )


async def test_a_client_that_is_not_known_is_told_as_the_cause(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id="never seen", with_reasons=True)

    assert answer.explanation == pb.StrategyExplanation(cause=pb.STRATEGY_CAUSE_CLIENT_UNKNOWN, popular_from=1)


async def test_similar_companies_can_be_narrowed(recommender: Recommender) -> None:
    request = pb.SimilarCompaniesRequest(
        company_code=code_of(0), max_results=5, category_ids=[30], exclude_company_codes=[code_of(2 * GROUP_SIZE), "no"]
    )

    answer = await recommender.stub.SimilarCompanies(request, timeout=20)

    assert len(answer.companies) == 5
    assert {company.category_id for company in answer.companies} == {30}
    assert code_of(2 * GROUP_SIZE) not in {company.company_code for company in answer.companies}
