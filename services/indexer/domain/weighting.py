"""How much a payment of the past says about the next: decay by age, in shares of the training's own span."""

import numpy as np
from numpy.typing import NDArray

from services.indexer.domain.payments import Pairs, Payments, Period

Floats = NDArray[np.float64]

RECENCY_FLOOR = 0.1
STRENGTH_DECAY = 0.4
NEWCOMER_DECAY = 0.4
LEAST_SPREAD = 1e-9
CLIENT_POWER = 0.25
COMPANY_POWER = 0.2


def recency(period: Period, pairs: Pairs, decay: float | None) -> Floats:
    """Weight of each pair: exp(-age of its newest payment / decay), and a floor: nothing is quite forgotten.

    Without decay all weigh alike.
    """
    if decay is None:
        return np.ones(len(pairs))
    return np.exp(-ages(period, pairs.last_at) / decay) + RECENCY_FLOOR


def strengths(period: Period, payments: Payments, pairs: Pairs) -> Floats:
    """How much each pair is a present habit, against the client's strongest (1): log of decayed counts of payments."""
    decayed = np.exp(-ages(period, payments.at) / STRENGTH_DECAY)
    strength = np.log1p(np.bincount(pairs.pair_of_row, decayed, len(pairs)))
    begins = pairs.first_of_client
    strongest = np.repeat(np.maximum.reduceat(strength, begins), np.diff(begins, append=len(pairs)))
    # A habit so old that its sum underflows is none; it must not divide by zero.
    shares: Floats = strength / np.maximum(strongest, np.finfo(np.float64).tiny)
    return shares


def newcomers(period: Period, first_at: NDArray[np.int64]) -> Floats:
    """From 1 for a client who came now to 0 for one of old, by the first payment."""
    return np.exp(-ages(period, first_at) / NEWCOMER_DECAY)


def trend(newcomers: Floats, clients: NDArray[np.int64]) -> Floats:
    """Share of newcomers among each company's clients and one more, who is as all are; beside the middle company's."""
    if not len(clients):
        return newcomers
    shares: Floats = (newcomers + newcomers.sum() / clients.sum()) / (clients + 1)
    return shares / np.median(shares)


def popularity(clients: NDArray[np.int64]) -> Floats:
    """Log of the number of clients of each company, about 0 and by the spread."""
    known = np.log1p(clients)
    around: Floats = (known - known.mean()) / max(known.std(), LEAST_SPREAD) if len(known) else known
    return around


def damped(counts: NDArray[np.int64], power: float) -> Floats:
    """counts^-power, 1 where there is nothing to count."""
    damping: Floats = np.maximum(counts, 1).astype(np.float64) ** -power
    return damping


def ages(period: Period, at: NDArray[np.int64]) -> Floats:
    """In shares of the period, back from its end; 0 beyond it."""
    age: Floats = np.maximum(period.newest - at, 0) / max(period.span, 1)
    return age
