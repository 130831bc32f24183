"""The answer to one request."""

from dataclasses import replace

import numpy as np

from services.contracts.choosing import NO_CATEGORY
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.recommending import Strategy, basket, recommend
from services.recommender.domain.requests import RecommendationRequest
from tests.unit.recommender.snapshots import CLIENT, snapshot, table


def test_no_category_means_no_filter() -> None:
    assert Catalogue.of(table()).mask(()) is None


def test_a_filter_joins_its_categories_and_leaves_out_who_has_none() -> None:
    mask = Catalogue.of(table()).mask((8, 7, 7))

    assert mask is not None
    assert mask.tolist() == [True, True, True, True, False]


def test_a_filter_of_unknown_categories_leaves_nothing() -> None:
    mask = Catalogue.of(table()).mask((999,))

    assert mask is not None
    assert not mask.any()


def test_codes_filter_beside_categories() -> None:
    catalogue = Catalogue.of(table())

    masks = [catalogue.mask((), ("e", "a", "no")), catalogue.mask((7,), ("e", "a", "c")), catalogue.mask((), ("no",))]

    assert [np.flatnonzero(mask).tolist() for mask in masks if mask is not None] == [[0, 4], [0], []]


def test_companies_of_one_category_id_have_one_number_and_those_without_one_none() -> None:
    found = Catalogue.of(table((7, 7, 8, 7, None))).category_of.tolist()

    assert found[0] == found[1] == found[3] != found[2]
    assert found[4] == NO_CATEGORY
    assert NO_CATEGORY not in found[:4]


def test_companies_named_that_the_model_does_not_know_fill_the_list_by_popularity() -> None:
    request = RecommendationRequest(5, CLIENT, only_company_codes=("d", "b", "e", "a", "no"))

    answer = recommend(snapshot(), request)

    assert [place.company for place in answer.places] == [1, 4, 3]


def test_known_codes_are_found_once_each_in_the_order_given() -> None:
    assert Catalogue.of(table()).known(["c", "no", "a", "c"]) == [2, 0]


def test_amounts_that_have_no_logarithm_are_unknown() -> None:
    catalogue = Catalogue.of(table(amounts=(0.0, -1.0, None, float("inf"), 1.0)))

    assert np.isnan(catalogue.log_amounts).tolist() == [True, True, True, True, False]


def test_a_basket_weighs_its_companies_alike() -> None:
    history = basket(Catalogue.of(table()), ("a", "b", "c", "d", "unknown"))

    assert history is not None
    assert history.companies.tolist() == [0, 1, 2, 3]
    assert history.weights.tolist() == [1.0] * 4
    assert not history.habits.any()


def test_a_basket_without_a_known_company_is_none() -> None:
    assert basket(Catalogue.of(table()), ("x", "y")) is None


def test_a_known_client_is_answered_by_the_model_and_the_rest_is_filled() -> None:
    answer = recommend(snapshot(), RecommendationRequest(5, CLIENT))

    assert [place.company for place in answer.places] == [1, 4, 3, 2]
    strategies = [place.strategy for place in answer.places]
    assert strategies == [Strategy.COLLABORATIVE, Strategy.POPULAR, Strategy.POPULAR, Strategy.POPULAR]


def test_a_paid_company_is_a_habit_where_it_is_asked_for() -> None:
    answer = recommend(snapshot(), RecommendationRequest(1, CLIENT, include_paid=True))

    assert [(place.company, place.strategy) for place in answer.places] == [(0, Strategy.HISTORY)]
    assert answer.strategy == Strategy.HISTORY


def test_reasons_stand_only_where_the_model_spoke() -> None:
    answer = recommend(snapshot(), RecommendationRequest(5, CLIENT, with_reasons=True))

    assert [[reason.company for reason in place.reasons] for place in answer.places] == [[0], [], [], []]


def test_a_paid_company_has_no_reasons_among_the_others() -> None:
    answer = recommend(
        snapshot(), RecommendationRequest(2, company_codes=("a", "b"), include_paid=True, with_reasons=True)
    )

    assert [(place.strategy, place.reasons) for place in answer.places] == [(Strategy.HISTORY, ())] * 2


def test_a_company_raised_by_nothing_but_its_popularity_is_told_as_popular() -> None:
    target = np.array([[1, 0, 0], [0, 1, 0.5], [0.1, 0, 0]], dtype=np.float32)
    known = replace(snapshot().factors, target=target, nearest=lambda vector, count: range(3))

    answer = recommend(replace(snapshot(), factors=known), RecommendationRequest(2, CLIENT, with_reasons=True))

    assert [(place.company, place.strategy) for place in answer.places] == [
        (1, Strategy.POPULAR),
        (2, Strategy.COLLABORATIVE),
    ]
    assert [len(place.reasons) for place in answer.places] == [0, 1]


def test_reasons_come_only_when_they_are_asked_for() -> None:
    asked = recommend(snapshot(), RecommendationRequest(5, CLIENT, with_reasons=True))

    answer = recommend(snapshot(), RecommendationRequest(5, CLIENT))

    assert answer == asked._replace(reasons=(), explanation=None)
    assert not any(place.reasons for place in answer.places)


def test_an_unknown_client_is_told_the_popular_companies() -> None:
    answer = recommend(snapshot(), RecommendationRequest(2, "somebody else"))

    assert not answer.client_known
    assert [place.company for place in answer.places] == [4, 3]
    assert answer.strategy == Strategy.POPULAR
