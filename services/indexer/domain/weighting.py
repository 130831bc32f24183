"""How much a payment of the past says about the next: decay by age, in shares of the training's own span."""

import numpy as np
from numpy.typing import NDArray

from services.indexer.domain.payments import Pairs, Payments, Period

Floats = NDArray[np.float64]

RECENCY_SHARE = 0.5
RECENCY_FLOOR = 0.05
HABIT_SHARE = 0.25
HABIT_SCALE = 10.0
CLIENT_POWER = 0.25
COMPANY_POWER = 0.2


def recency(period: Period, pairs: Pairs) -> Floats:
    """Weight of each pair: exp(-age of its newest payment / half the span), and a floor: nothing is quite forgotten."""
    return np.exp(-_age(period, pairs.last_at, RECENCY_SHARE)) + RECENCY_FLOOR


def habits(period: Period, payments: Payments, pairs: Pairs) -> Floats:
    """How much each pair is a present habit, against the client's strongest (1): log of decayed counts of payments."""
    decayed = np.exp(-_age(period, payments.at, HABIT_SHARE))
    strength = np.log1p(HABIT_SCALE * np.bincount(pairs.pair_of_row, decayed, len(pairs)))
    begins = pairs.first_of_client
    strongest = np.repeat(np.maximum.reduceat(strength, begins), np.diff(begins, append=len(pairs)))
    # A habit so old that its sum underflows is none; it must not divide by zero.
    shares: Floats = strength / np.maximum(strongest, np.finfo(np.float64).tiny)
    return shares


def damped(counts: NDArray[np.int64], power: float) -> Floats:
    """counts^-power, 1 where there is nothing to count."""
    damping: Floats = np.maximum(counts, 1).astype(np.float64) ** -power
    return damping


def _age(period: Period, at: NDArray[np.int64], share: float) -> Floats:
    unit = max(period.span * share, 1.0)
    age: Floats = (period.newest - at) / unit
    return age
