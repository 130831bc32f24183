"""How well companies fit what a client pays, by the prototype's features: category, amount, frequency, top biller."""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from bench.quality.paid import Floats
from bench.quality.trial import Trial
from services.indexer.domain.features import company_features
from services.indexer.domain.model import Model

Weights = sparse.csr_matrix[np.float32]
# (clients, indexed) weights of the histories -> (clients, indexed), larger where the company fits better.
Features = Callable[[Weights], Floats]


def features_of(trial: Trial, model: Model) -> dict[str, Features]:
    """By name; of the companies of the index, in order of dense ids."""
    numbers = model.companies.numbers[: model.companies.indexed]
    averages = company_features(trial.split.before).iloc[numbers]
    catalogue = trial.catalogue.iloc[numbers]
    top = catalogue["is_top_biller"].fillna(False).to_numpy(dtype=np.float64)
    return {
        "category": _same_category(catalogue["category_id"].fillna(-1).to_numpy(dtype=np.int64)),
        "amount": _near(averages["average_amount"].to_numpy(dtype=np.float64)),
        "frequency": _near(averages["average_days_between"].to_numpy(dtype=np.float64)),
        "top biller": lambda weights: np.tile(top, (weights.shape[0], 1)),
    }


def _same_category(categories: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Features:
    """The share of the client's weights that lies in the company's category."""
    place = np.unique(categories, return_inverse=True)[1]
    members = sparse.csr_matrix((np.ones(len(place)), (np.arange(len(place)), place)))

    def values(weights: Weights) -> Floats:
        shares: Floats = (_shares(weights) @ members).toarray()[:, place]
        return shares

    return values


def _near(averages: Floats) -> Features:
    """How near the company's logarithm is to the mean of those that the client pays; unknown ones are ordinary."""
    logs = np.log1p(averages)
    logs = np.where(np.isnan(logs), np.nanmedian(logs) if np.isfinite(logs).any() else 0.0, logs)

    def values(weights: Weights) -> Floats:
        middle = _shares(weights) @ logs
        return -np.abs(logs[None] - middle[:, None])

    return values


def _shares(weights: Weights) -> "sparse.csr_matrix[np.float64]":
    sums = np.maximum(np.asarray(weights.sum(axis=1), dtype=np.float64).ravel(), 1e-12)
    return sparse.csr_matrix(sparse.diags_array(1.0 / sums) @ weights)
