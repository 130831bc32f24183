"""The search for companies near a client without an index: every target is looked at, and none is missed."""

from collections.abc import Sequence

import numpy as np

from services.contracts.ranking import FloatArray, Nearest


def exactly_nearest(target: FloatArray) -> Nearest:
    """Among targets, (n, d), by their product with the query; the best first. See ranking.Factors."""

    def nearest(vector: FloatArray, count: int) -> Sequence[int]:
        scores = target @ vector[:-1]
        chosen = np.argpartition(-scores, count)[:count] if count < len(scores) else np.arange(len(scores))
        ordered: list[int] = chosen[np.argsort(-scores[chosen], kind="stable")].tolist()
        return ordered

    return nearest
