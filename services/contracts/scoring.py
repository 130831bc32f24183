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


def client_query(factors: Factors, companies: IntArray, weights: FloatArray) -> FloatArray:
    """What asks targets for one client, (d,): the sum of sources, of length 1, so that popularity weighs alike.

    The place of popularity is 1. Zero without an indexed company.
    """
    count, inside = len(companies), companies < len(factors.source)
    if not inside.all():
        companies, weights = companies[inside], weights[inside]
    asked = np.zeros(factors.source.shape[1], dtype=np.float32)
    if not len(companies):
        return asked
    weighed = weights.astype(np.float64)
    unit = exact.unit(float(np.maximum.reduce(np.abs(weighed))) * factors.source_reach * count)
    terms = factors.source[companies] * weighed[:, None]
    terms /= unit
    sums = np.add.reduce(np.rint(terms, out=terms)) * unit
    length = exact.length(sums)
    if length:
        np.divide(sums, length, out=asked, casting="same_kind")
        asked[-1] = 1
    return asked


def client_queries(factors: Factors, companies: IntArray, weights: FloatArray, begins: Ints) -> FloatArray:
    """As `client_query`, of many clients, (clients, d): histories one after another; begins: where each begins."""
    sizes = np.diff(begins, append=len(companies))
    clients = np.flatnonzero(sizes)
    asked = np.zeros((len(begins), factors.source.shape[1]), dtype=np.float32)
    if not len(clients) or not len(factors.source):
        return asked
    begins, sizes = begins[clients], sizes[clients]
    inside = companies < len(factors.source)
    companies = np.where(inside, companies, 0)
    weighed = np.where(inside, weights, np.float32(0)).astype(np.float64)
    bounds = np.maximum.reduceat(np.abs(weighed), begins) * factors.source_reach * sizes
    units = exact.units(bounds)[:, None]
    terms = np.rint(factors.source[companies] * weighed[:, None] / np.repeat(units, sizes, axis=0))
    sums = np.add.reduceat(terms, begins, axis=0) * units
    lengths = exact.lengths(sums)[:, None]
    asked[clients] = sums / np.where(lengths > 0, lengths, 1.0)
    asked[clients, -1] = lengths[:, 0] > 0
    return asked


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


def scored(factors: Factors, asked: FloatArray, companies: Ints) -> Scored:
    """Exactly. asked: (d,), or a row for each of the indexed companies."""
    terms = factors.target[companies] * asked.astype(np.float64)
    popularity = terms[:, -1]
    shares = terms[:, :-1] / factors.target_unit
    from_history = np.add.reduce(np.rint(shares, out=shares), axis=1) * factors.target_unit
    scores = (from_history + popularity).astype(np.float32)
    rounding = 2 * factors.doubt[companies]
    return Scored(scores, scores > rounding, from_history > rounding)
