"""How the days of the period differ: the week and the year of each category."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from demo.population.categories import CATEGORIES
from demo.population.parameters import GeneratorParameters

_DAYS_PER_YEAR = 365.25
_DAYS_PER_MONTH = _DAYS_PER_YEAR / 12


def season_weights(parameters: GeneratorParameters) -> NDArray[np.float64]:
    """For each category (row) how much is paid on each day (column), relative to its other days."""
    weekend = np.array([category.weekend for category in CATEGORIES])[:, None]
    return np.where(_is_weekend(parameters), weekend, 1.0) * year_weights(parameters)


def year_weights(parameters: GeneratorParameters) -> NDArray[np.float64]:
    """The part of the year alone: around 1, highest in the middle of the category's peak month."""
    peak = np.array([(category.peak - 0.5) * _DAYS_PER_MONTH for category in CATEGORIES])[:, None]
    swing = np.array([category.swing for category in CATEGORIES])[:, None]
    return np.asarray(1 + swing * np.cos(2 * np.pi * (_day_of_year(parameters) - peak) / _DAYS_PER_YEAR))


def _dates(parameters: GeneratorParameters) -> NDArray[np.datetime64]:
    first = np.datetime64(parameters.end - timedelta(days=parameters.days), "D")
    return np.asarray(first + np.arange(parameters.days))


def _is_weekend(parameters: GeneratorParameters) -> NDArray[np.bool_]:
    # Day 0 of datetime64, 1970-01-01, was a Thursday.
    return np.asarray((_dates(parameters).astype(np.int64) + 3) % 7 >= 5)


def _day_of_year(parameters: GeneratorParameters) -> NDArray[np.int64]:
    dates = _dates(parameters)
    return np.asarray((dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64))
