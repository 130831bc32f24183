"""Sums and lengths that do not depend on the order of what is added: the same to the last bit on any machine.

Terms are rounded to multiples of a power of two so small that a float64 holds every sum of them exactly; then any
order, any width of vector instruction and any number of rows beside give the same.
"""

import numpy as np
from numpy.typing import NDArray

# A float64 holds integers up to 2^53.
SUM_BITS = 51
SQUARE_BITS = 42

Floats = NDArray[np.float64]


def rounded(terms: Floats, bounds: Floats) -> tuple[Floats, Floats]:
    """Whole numbers to add up, and what each sum is then to be multiplied by, a row each.

    terms: (n, d). bounds: (n,), no less than what the absolute terms of any sum that a row takes part in come to.
    """
    units = np.ldexp(1.0, np.frexp(bounds)[1] - SUM_BITS)
    return np.rint(terms / units[:, None]), units


def lengths(rows: NDArray[np.floating]) -> Floats:
    """Euclidean, (n,), of the rows of (n, d) with d below 1,000."""
    largest = np.abs(rows).max(axis=1, initial=0.0).astype(np.float64)
    shares = rows / np.where(largest > 0, largest, 1.0)[:, None]
    squares = np.rint(shares * shares * 2.0**SQUARE_BITS).sum(axis=1) / 2.0**SQUARE_BITS
    found: Floats = largest * np.sqrt(squares)
    return found
