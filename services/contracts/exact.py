"""Sums and lengths that do not depend on the order of what is added: the same to the last bit on any machine.

Terms are rounded to multiples of a power of two so small that a float64 holds every sum of them exactly; then any
order, any width of vector instruction and any number of rows beside give the same.
"""

import math

import numpy as np
from numpy.typing import NDArray

# A float64 holds integers up to 2^53.
SUM_BITS = 51
# Of a bound: below it a unit would be less than the smallest number of full precision, 2^-1022, or 0.
LEAST_EXPONENT = -970
SQUARE_BITS = 42

Floats = NDArray[np.float64]


def units(bounds: Floats) -> Floats:
    """What terms are to be rounded to multiples of, whose absolute values come to no more than the bound."""
    found: Floats = np.ldexp(1.0, np.maximum(np.frexp(bounds)[1], LEAST_EXPONENT) - SUM_BITS)
    return found


def unit(bound: float) -> float:
    """As `units`, of one."""
    return math.ldexp(1.0, max(math.frexp(bound)[1], LEAST_EXPONENT) - SUM_BITS)


def lengths(rows: NDArray[np.floating]) -> Floats:
    """Euclidean, (n,), of the rows of (n, d) with d below 1,000."""
    largest = np.abs(rows).max(axis=1, initial=0.0).astype(np.float64)
    shares = rows / np.where(largest > 0, largest, 1.0)[:, None]
    squares = np.rint(shares * shares * 2.0**SQUARE_BITS).sum(axis=1) / 2.0**SQUARE_BITS
    found: Floats = largest * np.sqrt(squares)
    return found


def length(row: Floats) -> float:
    """As `lengths`, of one."""
    largest = float(np.maximum.reduce(np.abs(row), initial=0.0))
    if not largest:
        return 0.0
    shares = row / largest
    squares = float(np.add.reduce(np.rint(shares * shares * 2.0**SQUARE_BITS))) / 2.0**SQUARE_BITS
    return largest * math.sqrt(squares)
