"""Scores that are the same to the last bit for one client and for many at once, on any machine.

Two stages. Coarse scores, in float32 by whatever linear algebra is at hand, choose: they are wrong by no more than
`doubt`, so that nothing that belongs among the best is left out. Those chosen are scored again by sums that do not
depend on the order of their terms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts import exact
from services.contracts.factors import Factors, FloatArray, IntArray

# Groups of companies for each place wanted: their best ones tell what is surely among the best.
GROUPS = 8

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Of companies as asked. speaks: whether the score is more than rounding; from_history: not popularity alone."""

    scores: FloatArray
    speaks: Mask
    from_history: Mask


def queries(factors: Factors, companies: IntArray, weights: FloatArray, begins: Ints) -> FloatArray:
    """What asks targets, (clients, d): sums of sources, of length 1, so that popularity weighs alike; its place is 1.

    companies, weights: histories one after another; begins: where each begins. Without an indexed company: zero.
    """
    sizes = np.diff(begins, append=len(companies))
    clients = np.flatnonzero(sizes)
    asked = np.zeros((len(begins), factors.source.shape[1]), dtype=np.float32)
    if not len(clients) or not len(factors.source):
        return asked
    begins, sizes = begins[clients], sizes[clients]
    inside = companies < len(factors.source)
    weighed = np.where(inside, weights, np.float32(0)).astype(np.float64)
    terms = factors.source[np.where(inside, companies, 0)] * weighed[:, None]
    largest = np.maximum.reduceat(np.abs(terms).max(axis=1, initial=0.0), begins)
    numbers, units = exact.rounded(terms, np.repeat(largest * sizes, sizes))
    sums = np.add.reduceat(numbers, begins, axis=0) * units[begins, None]
    lengths = exact.lengths(sums)
    asked[clients] = sums / np.where(lengths > 0, lengths, 1.0)[:, None]
    asked[clients, -1] = lengths > 0
    return asked


def best(lower: FloatArray, doubt: FloatArray, count: int) -> tuple[Ints, Ints]:
    """Clients and candidates that may be among the `count` best of a client: all that are, and few others.

    lower: (clients, candidates), coarse scores less doubt, -inf for what is barred. What is not surely above 0 is
    rounding: nothing speaks for it.
    """
    clients, candidates = lower.shape
    size = max(candidates // (GROUPS * count), 1)
    groups = candidates // size
    # The count-th best of the groups' best ones is no better than the count-th best of all.
    tops = lower[:, : size * groups].reshape(clients, size, groups).max(axis=1, initial=-np.inf)
    least = np.full((clients, 1), -np.inf, dtype=np.float32)
    if groups > count:
        least = np.partition(tops, groups - count, axis=1)[:, groups - count, None]
    rows, places = np.nonzero(lower >= np.maximum(least - 2 * doubt, 0))
    speaks = lower[rows, places] > 0
    return rows[speaks], places[speaks]


def scored(factors: Factors, asked: FloatArray, rows: Ints, companies: Ints) -> Scored:
    """Exactly. asked: (clients, d); rows: the client of each of the indexed companies."""
    terms = factors.target[companies] * asked.astype(np.float64)[rows]
    numbers, units = exact.rounded(terms[:, :-1], np.abs(terms).max(axis=1, initial=0.0) * terms.shape[1])
    from_history = numbers.sum(axis=1) * units
    scores = (from_history + terms[:, -1]).astype(np.float32)
    rounding = 2 * factors.doubt[companies]
    return Scored(scores, scores > rounding, from_history > rounding)
