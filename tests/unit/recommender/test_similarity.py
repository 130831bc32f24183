"""Companies like a company."""

from dataclasses import replace

import numpy as np
import pytest

from services.recommender.domain.requests import SimilarityRequest
from services.recommender.domain.similarity import Similar, cosines_to, similar
from services.recommender.domain.snapshot import norms_of
from tests.unit.recommender.snapshots import snapshot


def like(count: int, *categories: int, excluded: tuple[str, ...] = ()) -> SimilarityRequest:
    """For so many companies; the company itself is given apart."""
    return SimilarityRequest("", count, categories, excluded)


def test_cosines_are_those_of_the_definition() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)

    found = cosines_to(vectors, norms_of(vectors), 7)

    lengths = np.linalg.norm(vectors, axis=1)
    assert found == pytest.approx(vectors @ vectors[7] / (lengths * lengths[7]), abs=1e-6)


def test_a_vector_of_zeros_is_like_nothing() -> None:
    vectors = np.array([[1, 0], [0, 0]], dtype=np.float32)

    assert cosines_to(vectors, norms_of(vectors), 0).tolist() == [1.0, 0.0]


def test_cosines_never_leave_their_range_by_rounding() -> None:
    vectors = np.full((3, 5), 0.1, dtype=np.float32)

    assert cosines_to(vectors, norms_of(vectors), 0).max() <= 1.0


def test_a_company_of_the_index_is_likened_by_who_pays_it() -> None:
    found = similar(snapshot(), 0, like(5))

    assert [each.company for each in found] == [1, 2]
    assert found[0].similarity == pytest.approx(2 / np.hypot(2, 0.2))


def test_how_popular_a_company_is_makes_it_like_no_other() -> None:
    plain = snapshot()
    popular = replace(plain.factors, target=plain.factors.target + np.array([0, 0, 5], np.float32))

    assert similar(replace(plain, factors=popular), 0, like(5)) == similar(plain, 0, like(5))


def test_only_as_many_as_asked_for_come() -> None:
    assert len(similar(snapshot(), 0, like(1))) == 1


def test_a_company_outside_the_index_is_likened_by_category_then_amount() -> None:
    found = similar(snapshot(), 3, like(5))

    assert found == [Similar(company, 0.0) for company in (1, 0, 2, 4)]


def test_a_company_whose_factors_are_zero_is_likened_by_features() -> None:
    found = similar(snapshot(), 2, like(5))

    assert found == [Similar(company, 0.0) for company in (3, 0, 1, 4)]


def test_a_company_without_features_is_likened_to_the_popular() -> None:
    found = similar(snapshot(), 4, like(2))

    assert [each.company for each in found] == [3, 2]


def test_a_filter_leaves_the_others_in_their_order_and_fills_the_list() -> None:
    assert [each.company for each in similar(snapshot(), 3, like(2, 8, 7, excluded=("b", "unknown")))] == [0, 2]
    assert [each.company for each in similar(snapshot(), 0, like(5, 8))] == [2]


def test_the_company_itself_does_not_come_through_a_filter_either() -> None:
    assert [each.company for each in similar(snapshot(), 0, like(5, 7))] == [1]
