"""What a caller may ask for beside a list: only some companies, reasons, an explanation, and companies like one."""

from afin.recommender.v1 import recommender_pb2 as pb
from tests.integration.recommender.bundles import COMPANIES, GROUP_SIZE, INDEXED, client_of, code_of
from tests.integration.recommender.serving import Recommender
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
