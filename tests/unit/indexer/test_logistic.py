"""Logistic regression."""

import numpy as np
import pytest

from services.indexer.domain.logistic import fit_logistic


def test_what_tells_nothing_gives_everyone_the_same_chance() -> None:
    features = np.zeros((8, 1))

    chances = fit_logistic(features, np.array([1.0, 0.0, 0.0, 0.0] * 2)).probabilities(features)

    assert chances.tolist() == pytest.approx([0.25] * 8)


def test_the_chances_add_up_to_what_happened() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(500, 3))
    happened = (features[:, 0] + rng.normal(size=500) > 0.5).astype(np.float64)

    chances = fit_logistic(features, happened).probabilities(features)

    assert chances.sum() == pytest.approx(happened.sum())


def test_coefficients_of_a_known_law_are_found() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(200_000, 2))
    happened = rng.random(200_000) < 1 / (1 + np.exp(-(0.5 + 1.0 * features[:, 0] - 2.0 * features[:, 1])))

    found = fit_logistic(features, happened.astype(np.float64))

    assert found.coefficients == pytest.approx([0.5, 1.0, -2.0], abs=0.05)


def test_what_one_feature_tells_surely_stays_finite() -> None:
    features = np.array([[0.0], [1.0]] * 50)

    found = fit_logistic(features, np.array([0.0, 1.0] * 50))

    assert np.isfinite(found.coefficients).all()
    assert found.probabilities(np.array([[0.0], [1.0]])) == pytest.approx([0.0, 1.0], abs=0.05)


def test_a_feature_twice_over_is_borne() -> None:
    rng = np.random.default_rng(3)
    one = rng.normal(size=(300, 1))

    found = fit_logistic(np.hstack([one, one]), (one[:, 0] > 0).astype(np.float64))

    assert found.coefficients[1] == pytest.approx(found.coefficients[2])
