"""Logistic regression with a ridge, by Newton's method: how likely something is, from a few numbers about it."""

from dataclasses import dataclass

import numpy as np

from services.indexer.domain.weighting import Floats

RIDGE = 1.0
MOST_STEPS = 25
LEAST_STEP = 1e-6
LEAST_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class Logistic:
    """`coefficients`: (k + 1,), the constant first; of features (k,) less their mean, by their spread."""

    mean: Floats
    spread: Floats
    coefficients: Floats

    def probabilities(self, features: Floats) -> Floats:
        """(n, k) -> (n,), each between 0 and 1, and each to the last bit what it is without the other rows.

        So no product of matrices: in what order that adds up a row depends on how many there are.
        """
        constant, *coefficients = self.coefficients
        sums = np.full(len(features), constant)
        for column, mean, spread, coefficient in zip(features.T, self.mean, self.spread, coefficients, strict=True):
            sums += (column - mean) / spread * coefficient
        return _sigmoid(sums)


def fit_logistic(features: Floats, happened: Floats) -> Logistic:
    """Of (n, k) features and (n,) outcomes, 0 or 1. The constant is not shrunk."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + LEAST_SPREAD
    known = _standardised(features, mean, spread)
    ridge = np.diag([0.0, *[RIDGE] * features.shape[1]])
    coefficients = np.zeros(known.shape[1])
    for _ in range(MOST_STEPS):
        likely = _sigmoid(known @ coefficients)
        slope = known.T @ (likely - happened) + ridge @ coefficients
        bend = (known * (likely * (1.0 - likely))[:, None]).T @ known + ridge
        step = np.linalg.lstsq(bend, slope)[0]
        coefficients -= step
        if np.abs(step).max() < LEAST_STEP:
            break
    return Logistic(mean, spread, coefficients)


def _standardised(features: Floats, mean: Floats, spread: Floats) -> Floats:
    return np.column_stack([np.ones(len(features)), (features - mean) / spread])


def _sigmoid(values: Floats) -> Floats:
    chances: Floats = 0.5 * (1.0 + np.tanh(0.5 * values))
    return chances
