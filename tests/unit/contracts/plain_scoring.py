"""What contracts/scorer computes, number by number and slowly: whole numbers are added, which no order changes."""

import math
from collections.abc import Sequence

import numpy as np

from services.contracts.factors import FloatArray, History

SUM_BITS, LEAST_EXPONENT, SQUARES = 51, -970, 2**42


def query(source: FloatArray, history: History) -> list[float]:
    """A client's query, (d,)."""
    width = source.shape[1]
    pairs = zip(history.companies.tolist(), history.weights.tolist(), strict=True)
    known = [(source[company].tolist(), weight) for company, weight in pairs if company < len(source)]
    heaviest = max((abs(weight) for _, weight in known), default=0.0)
    unit = _unit(heaviest * float(np.abs(source).max()) * len(history.companies))
    sums = [sum(round(row[k] * weight / unit) for row, weight in known) * unit for k in range(width)]
    length = _length(sums)
    if not length:
        return [0.0] * width
    return [*(float(np.float32(each / length)) for each in sums[:-1]), 1.0]


def score(target: FloatArray, asked: Sequence[float], company: int) -> tuple[float, float]:
    """The score of a company, and how much of it the history brings."""
    row = target[company].tolist()
    unit = _unit(float(np.abs(target).max()) * target.shape[1])
    brought = sum(round(one * other / unit) for one, other in zip(row[:-1], asked[:-1], strict=True)) * unit
    return float(np.float32(brought + row[-1] * asked[-1])), brought


def _unit(bound: float) -> float:
    return math.ldexp(1.0, max(math.frexp(bound)[1], LEAST_EXPONENT) - SUM_BITS)


def _length(numbers: Sequence[float]) -> float:
    largest = max(map(abs, numbers))
    if not largest:
        return 0.0
    shares = [each / largest for each in numbers]
    return largest * math.sqrt(sum(round(share * share * SQUARES) for share in shares) / SQUARES)
