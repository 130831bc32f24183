"""Which companies may be among the best by coarse scores, of one client or of many; see scorer.pyi for both stages."""

import numpy as np
from numpy.typing import NDArray

from services.contracts.factors import FloatArray

# Groups of companies for each place wanted: their best ones tell what is surely among the best.
GROUPS = 8

Ints = NDArray[np.int64]


def best(lower: FloatArray, doubt: FloatArray, count: int) -> tuple[Ints, Ints]:
    """Clients and candidates that may be among the `count` best of a client: all that are, and few others.

    lower: (clients, candidates), coarse scores less doubt, -inf for what is barred. What is not surely above 0 is
    rounding: nothing speaks for it.
    """
    found = best_of_one(lower, doubt, count)
    return found // lower.shape[1], found % lower.shape[1]


def best_of_one(lower: FloatArray, doubt: FloatArray, count: int) -> Ints:
    """Of one client, (candidates,): the candidates; of several, (clients, candidates): places in all rows in a row."""
    twice = 2 * doubt
    least = _least(lower, count)
    if lower.size and least.min() <= twice.max():  # what may be rounding takes nobody's place
        least = _least(np.where(lower > twice, lower, np.float32(-np.inf)), count)
    return np.flatnonzero(lower >= np.maximum(least - twice, 0))


def _least(lower: FloatArray, count: int) -> FloatArray:
    """No more than the count-th best, (clients, 1) or (1,): that of the best ones of groups of candidates."""
    *clients, candidates = lower.shape
    size = max(candidates // (GROUPS * count), 1)
    groups = candidates // size
    if groups <= count:
        return np.zeros((*clients, 1), dtype=np.float32)
    tops = lower[..., : size * groups].reshape(*clients, size, groups).max(axis=-2, initial=-np.inf)
    tops.partition(groups - count, axis=-1)
    least: FloatArray = tops[..., groups - count, None]
    return least
