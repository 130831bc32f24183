"""Recommend over a real socket, from a bundle with three planted groups."""

from collections.abc import Iterable

import pytest

from afin.recommender.v1 import recommender_pb2 as pb
from tests.integration.recommender.bundles import (
    COLD_CLIENT,
    COMPANIES,
    GROUP_SIZE,
    INDEXED,
    PUBLISHED_AT,
    WATERMARK,
    client_of,
    code_of,
)
from tests.integration.recommender.serving import Recommender

UNPAID_OF_GROUP_1 = [code_of(GROUP_SIZE + place) for place in range(3, GROUP_SIZE)]
PAID_OF_GROUP_1 = [code_of(GROUP_SIZE + place) for place in range(3)]


def codes(places: Iterable[pb.Recommendation]) -> list[str]:
    """The company codes of a list, in order."""
    return [place.company_code for place in places]


async def test_a_known_client_gets_the_unpaid_companies_of_its_group_first(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=5)

    assert sorted(codes(answer.recommendations)) == UNPAID_OF_GROUP_1
    assert answer.client_known
    assert answer.strategy == pb.STRATEGY_COLLABORATIVE


async def test_scores_fall_along_the_list(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=100)

    scores = [place.score for place in answer.recommendations]
    assert scores == sorted(scores, reverse=True)


async def test_a_place_tells_the_company_and_its_category(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=1)

    (place,) = answer.recommendations
    dense = int(place.company_code[1:])
    assert place.company_id == 1000 + 7 * dense
    assert place.company_name == f"A company {dense}"
    assert (place.category_id, place.category_name) == (20, "Category 20")


async def test_a_place_names_the_paid_companies_that_speak_for_it(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=1, with_reasons=True)

    reasons = answer.recommendations[0].reasons
    assert {reason.company_code for reason in reasons} == set(PAID_OF_GROUP_1)
    assert all(reason.company_name.startswith("A company ") for reason in reasons)
    assert sum(reason.share for reason in reasons) == pytest.approx(1.0)


async def test_every_answer_names_its_index(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(0))

    assert answer.index.epoch == 4
    assert answer.index.version.startswith("20260301T120000Z-")
    assert answer.index.published_at.ToDatetime(PUBLISHED_AT.tzinfo) == PUBLISHED_AT
    assert answer.index.watermark.ToDatetime(WATERMARK.tzinfo) == WATERMARK


async def test_paid_companies_are_left_out_unless_asked_for(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=100)

    assert not set(PAID_OF_GROUP_1) & set(codes(answer.recommendations))
    assert len(answer.recommendations) == COMPANIES - 3


async def test_with_paid_companies_the_habits_come_first_and_are_marked(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=5, include_paid=True)

    assert codes(answer.recommendations)[:3] == PAID_OF_GROUP_1
    assert [place.already_paid for place in answer.recommendations] == [True] * 3 + [False] * 2
    assert [place.strategy for place in answer.recommendations[2:4]] == [
        pb.STRATEGY_HISTORY,
        pb.STRATEGY_COLLABORATIVE,
    ]
    assert answer.strategy == pb.STRATEGY_HISTORY


async def test_excluded_companies_never_come(recommender: Recommender) -> None:
    excluded = [*UNPAID_OF_GROUP_1[:2], "unknown to the index"]
    answer = await recommender.recommend(client_id=client_of(1), max_results=100, exclude_company_codes=excluded)

    assert not set(excluded) & set(codes(answer.recommendations))
    assert len(answer.recommendations) == COMPANIES - 3 - 2


async def test_a_category_filter_leaves_only_its_companies(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=100, category_ids=[30, 999])

    assert {place.category_id for place in answer.recommendations} == {30}
    assert len(answer.recommendations) == GROUP_SIZE


async def test_categories_are_joined(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=100, category_ids=[20, 30])

    assert len(answer.recommendations) == GROUP_SIZE - 3 + GROUP_SIZE


async def test_a_filter_for_a_category_without_companies_gives_an_empty_list(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), category_ids=[999])

    assert not answer.recommendations
    assert answer.client_known
    assert answer.strategy == pb.STRATEGY_POPULAR


async def test_a_basket_is_answered_as_a_client_that_paid_it(recommender: Recommender) -> None:
    answer = await recommender.recommend(company_codes=[code_of(GROUP_SIZE)] * 2, max_results=7, with_reasons=True)

    assert sorted(codes(answer.recommendations)) == sorted([*PAID_OF_GROUP_1[1:], *UNPAID_OF_GROUP_1])
    assert answer.client_known
    assert {reason.company_code for reason in answer.recommendations[0].reasons} == {code_of(GROUP_SIZE)}


async def test_a_basket_of_unknown_companies_gets_the_popular_ones(recommender: Recommender) -> None:
    answer = await recommender.recommend(company_codes=["unknown"], max_results=3)

    assert not answer.client_known
    assert codes(answer.recommendations) == [code_of(COMPANIES - 1 - place) for place in range(3)]


async def test_an_unknown_client_gets_the_popular_companies_marked_so(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id="never seen", max_results=3, with_reasons=True)

    assert not answer.client_known
    assert answer.strategy == pb.STRATEGY_POPULAR
    assert codes(answer.recommendations) == [code_of(COMPANIES - 1 - place) for place in range(3)]
    assert all(place.strategy == pb.STRATEGY_POPULAR and not place.reasons for place in answer.recommendations)


async def test_a_client_of_companies_outside_the_index_is_known_and_gets_the_popular_ones(
    recommender: Recommender,
) -> None:
    answer = await recommender.recommend(client_id=COLD_CLIENT, max_results=2)

    assert answer.client_known
    assert answer.strategy == pb.STRATEGY_POPULAR
    assert codes(answer.recommendations) == [code_of(COMPANIES - 1), code_of(INDEXED - 1)]


async def test_a_short_list_is_filled_with_popular_companies_marked_so(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1), max_results=100, with_reasons=True)

    filled = [place for place in answer.recommendations if place.strategy == pb.STRATEGY_POPULAR]
    assert {code_of(COMPANIES - 1), code_of(INDEXED)} <= set(codes(filled))
    assert answer.strategy == pb.STRATEGY_COLLABORATIVE
    assert all(not place.reasons for place in filled)


async def test_white_space_around_ids_does_not_matter(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=f" {client_of(1)}\n", max_results=1)

    assert answer.client_known


async def test_a_company_without_a_category_has_none_in_the_answer(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id="never seen", max_results=1)

    (place,) = answer.recommendations
    assert place.company_id == 2**62
    assert not place.HasField("category_id")
    assert not place.HasField("category_name")
