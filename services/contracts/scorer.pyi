"""Scores that are the same to the last bit for one client and for many at once, on any machine.

Two stages. Coarse scores, in float32, choose: they are wrong by no more than `doubt`, so that nothing that belongs
among the best is left out. Those chosen are scored again by sums that do not depend on the order of their terms
(exact.hpp).
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Kinds = NDArray[np.uint8]

class Scorer:
    """Of source and target factors, (indexed, d), in C order, of finite numbers; they are not copied.

    It looks at the `longest` companies of the longest targets first. d is at most 1,000.
    """

    def __init__(self, source: Floats, target: Floats, longest: int) -> None: ...
    @property
    def doubt(self) -> Floats:
        """(indexed,), by how much a score in float32 may be wrong, in whatever order it is summed."""

    def query(self, companies: NDArray[np.int32], weights: Floats) -> Floats:
        """What asks targets for one client, (d,): the sum of sources, of length 1, so that popularity weighs alike.

        The place of popularity is 1. Zero without an indexed company.
        """

    def queries(self, companies: NDArray[np.int32], weights: Floats, begins: Ints) -> Floats:
        """As `query`, of many clients, (clients, d): histories one after another; begins: where each begins."""

    def scored(self, asked: Floats, companies: Ints) -> tuple[Floats, Kinds]:
        """Exact scores, and kinds as of places (see ranking): POPULAR where a score is no more than rounding.

        asked: (d,), or a row for each of the indexed companies. IndexError for any other.
        """

    def ranked(self, asked: Floats, companies: Ints) -> tuple[list[int], list[float], bytes]:
        """Of indexed companies those with more than rounding, best first, ties in order of dense ids.

        With their scores and kinds, see ranking. IndexError for any other company.
        """

    def ranked_near(
        self, asked: Floats, barred: NDArray[np.int32], count: int, nearest: Callable[[Floats], Sequence[int]]
    ) -> tuple[list[int], list[float], bytes]:
        """As `ranked`, at least the best `count`, none of `barred`, of the longest and of those that are `nearest`.

        That is asked only where a company that is none of the longest may be among the best. What is barred need not
        be indexed.
        """

def lengths(vectors: Floats) -> NDArray[np.float64]:
    """Euclidean, (n,), of the rows of (n, d), whose numbers lie side by side."""
