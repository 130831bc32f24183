"""Ranking: what is recommended, in which order, and why. Six companies have factors, two have none."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.contracts.factors import Factors, FloatArray, History, Nearest, padded
from services.contracts.ranking import Query, rank, reasons

# Companies 0-2 go with the first factor, 3-5 with the second; 6 and 7 are outside the index. None is popular in itself.
TARGET = np.array([[3, 0, 0], [2, 0, 0], [1, 0, 0], [0, 3, 0], [0, 2, 0], [0, 1, 0]], dtype=np.float32)
SOURCE = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]], dtype=np.float32)
POPULAR = np.array([7, 3, 0, 6, 1, 4, 2, 5], dtype=np.int32)
NOBODY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32))


def exactly_nearest(target: FloatArray) -> Nearest:
    """What Annoy approximates: padded vectors by angle to the query."""
    vectors = padded(target)

    def nearest(vector: FloatArray, count: int) -> Sequence[int]:
        angles = vectors @ np.append(vector, np.float32(0))
        return [int(item) for item in np.argsort(-angles, kind="stable")[:count]]

    return nearest


def factors(target: FloatArray = TARGET, habit_weight: float = 2.0) -> Factors:
    return Factors(SOURCE, target, POPULAR, exactly_nearest(target), habit_weight)


def history(*companies: int, weights: Sequence[float] = (), habits: Sequence[float] = ()) -> History:
    return History(
        np.array(companies, dtype=np.int32),
        np.array(weights or [1.0] * len(companies), dtype=np.float32),
        np.array(habits or [0.0] * len(companies), dtype=np.float32),
    )


def companies(history: History, query: Query, of: Factors | None = None) -> list[int]:
    return [place.company for place in rank(of or factors(), history, query)]


def test_companies_of_the_clients_kind_come_first_and_paid_ones_are_left_out() -> None:
    assert companies(history(2), Query(2)) == [0, 1]


def test_the_heavier_part_of_a_history_decides() -> None:
    assert companies(history(2, 5, weights=[1.0, 3.0]), Query(3)) == [3, 4, 0]


def test_equal_scores_come_in_order_of_dense_ids() -> None:
    equal = np.ones((6, 3), dtype=np.float32)

    assert companies(history(4), Query(5), factors(equal)) == [0, 1, 2, 3, 5]


def test_excluded_companies_are_not_recommended() -> None:
    assert companies(history(2), Query(1, excluded=frozenset({0}))) == [1]


def test_excluded_companies_are_not_recommended_among_paid_ones_either() -> None:
    query = Query(8, include_paid=True, excluded=frozenset({2}))

    assert 2 not in companies(history(2, habits=[1.0]), query)


def test_a_filter_leaves_only_allowed_companies_and_looks_at_all_of_them() -> None:
    allowed = np.zeros(8, dtype=np.bool_)
    allowed[[1, 5, 7]] = True

    assert companies(history(2), Query(8, allowed=allowed)) == [1, 7, 5]


def test_popular_companies_fill_what_the_model_cannot_and_are_marked() -> None:
    places = rank(factors(), history(2), Query(8))

    assert [place.company for place in places] == [0, 1, 7, 3, 6, 4, 5]
    assert [place.modelled for place in places] == [True] * 2 + [False] * 5


def test_a_score_that_is_but_rounding_speaks_for_no_company() -> None:
    rounding = TARGET.copy()
    rounding[3:, 0] = 1e-7

    places = rank(factors(rounding), history(2), Query(3))

    assert [(place.company, place.modelled) for place in places] == [(0, True), (1, True), (7, False)]


def test_scores_fall_from_place_to_place_across_the_filled_part() -> None:
    scores = [place.score for place in rank(factors(), history(2), Query(8))]

    assert scores == sorted(scores, reverse=True)


def test_popular_companies_count_down_from_minus_one_whatever_the_scores_before_them() -> None:
    places = rank(factors(10 * TARGET), history(2), Query(4))

    assert [place.score for place in places] == [30.0, 20.0, -1.0, -2.0]


def test_a_least_score_of_zero_leaves_out_what_only_fills_the_list() -> None:
    assert companies(history(2), Query(8, min_score=0.0)) == [0, 1]
    assert companies(NOBODY, Query(8, min_score=0.0)) == []


def test_what_scores_less_than_asked_for_is_left_out() -> None:
    assert companies(history(2), Query(8, min_score=2.0)) == [0, 1]
    assert companies(history(2), Query(8, min_score=2.5)) == [0]
    assert companies(history(2), Query(8, min_score=-2.5)) == [0, 1, 7, 3]


def test_a_filter_changes_no_score() -> None:
    allowed = np.zeros(8, dtype=np.bool_)
    allowed[[1, 5, 7]] = True
    known = history(2, 5, weights=[3.0, 1.0], habits=[0.5, 0.25])

    full = {place.company: place.score for place in rank(factors(), known, Query(8, include_paid=True))}
    filtered = rank(factors(), known, Query(8, include_paid=True, allowed=allowed))

    assert [(place.company, place.score) for place in filtered if place.modelled] == [(1, full[1]), (5, full[5])]


def test_a_client_without_history_gets_the_popular_companies() -> None:
    places = rank(factors(), NOBODY, Query(3))

    assert [place.company for place in places] == [7, 3, 0]
    assert not any(place.modelled for place in places)


def test_a_client_of_companies_outside_the_index_gets_popular_ones_but_for_those_it_paid() -> None:
    assert companies(history(7), Query(3)) == [3, 0, 6]


def test_habits_lead_where_paid_companies_may_be_recommended() -> None:
    known = history(5, 2, habits=[1.0, 0.5])

    places = rank(factors(), known, Query(3, include_paid=True))

    assert [(place.company, place.already_paid) for place in places] == [(5, True), (2, True), (0, False)]


def test_without_weight_habits_do_not_matter() -> None:
    known = history(5, 2, habits=[1.0, 0.5])

    assert companies(known, Query(2, include_paid=True), factors(habit_weight=0.0)) == [0, 3]


def test_a_habit_outside_the_index_is_recommended_among_paid_ones() -> None:
    known = history(2, 6, habits=[0.1, 1.0])

    assert companies(known, Query(1, include_paid=True)) == [6]


def test_a_client_with_habits_alone_gets_them_by_strength_and_then_popular_ones() -> None:
    known = history(6, 7, habits=[0.5, 1.0])

    assert companies(known, Query(3, include_paid=True)) == [7, 6, 3]


def test_a_list_ends_where_there_are_no_more_companies() -> None:
    assert sorted(companies(history(2), Query(100))) == [0, 1, 3, 4, 5, 6, 7]


def test_companies_outside_the_index_do_not_turn_the_clients_vector() -> None:
    inside, both = history(2), history(2, 7)

    assert (
        factors().scorer.query(both.companies, both.weights).tolist()
        == factors().scorer.query(inside.companies, inside.weights).tolist()
    )


def test_the_popularity_of_a_company_raises_it_for_every_client() -> None:
    popular = TARGET.copy()
    popular[1, -1] = 1.5

    assert companies(history(2), Query(2), factors(popular)) == [1, 0]
    assert companies(history(3), Query(3), factors(popular)) == [4, 1, 5]


def test_the_length_of_a_history_does_not_outweigh_popularity() -> None:
    popular = TARGET.copy()
    popular[1, -1] = 1.5

    assert companies(history(2, weights=[100.0]), Query(2), factors(popular)) == [1, 0]


def test_popularity_takes_its_share_but_is_no_reason() -> None:
    popular = TARGET.copy()
    popular[0, -1] = 3.0

    found = reasons(factors(popular), history(1, weights=[7.0]), 0)

    assert [(reason.company, reason.share) for reason in found] == [(1, 0.5)]


def test_padded_vectors_have_one_norm_and_keep_the_order_of_the_dot_product() -> None:
    rng = np.random.default_rng(3)
    target = rng.normal(size=(40, 5)).astype(np.float32)
    query = np.append(rng.normal(size=5), 0.0).astype(np.float32)

    vectors = padded(target)

    norms = np.linalg.norm(vectors, axis=1)
    assert norms == pytest.approx(norms[0])
    assert np.argsort(vectors @ query / norms).tolist() == np.argsort(target @ query[:-1]).tolist()


def test_nothing_can_be_padded() -> None:
    assert padded(np.empty((0, 3), dtype=np.float32)).shape == (0, 4)


def test_reasons_share_the_score_among_the_companies_that_raised_it() -> None:
    found = reasons(factors(), history(1, 2, 5, weights=[3.0, 1.0, 9.0]), 0)

    assert [reason.company for reason in found] == [1, 2]
    assert [reason.share for reason in found] == pytest.approx([0.75, 0.25])


def test_at_most_three_reasons_are_given_the_strongest_first() -> None:
    wide = Factors(np.array([[1, 1, 0]] * 6, np.float32), TARGET, POPULAR, exactly_nearest(TARGET), 2.0)

    found = reasons(wide, history(1, 2, 3, 4, weights=[1.0, 2.0, 3.0, 4.0]), 0)

    assert [reason.company for reason in found] == [4, 3, 2]


def test_a_company_outside_the_index_has_no_reasons() -> None:
    assert reasons(factors(), history(1), 7) == []


def test_a_history_that_only_lowers_the_score_gives_no_reasons() -> None:
    against = Factors(-SOURCE, TARGET, POPULAR, exactly_nearest(TARGET), 2.0)

    assert reasons(against, history(1), 0) == []
