"""The search for near companies without an index: every vector is looked at, and none is missed."""

from collections.abc import Sequence

import numpy as np

from services.contracts.ranking import FloatArray, Nearest


def exactly_nearest(vectors: FloatArray) -> Nearest:
    """Among the rows of `vectors`, (n, d + 1), all of one norm: by angle, the nearest first."""

    def nearest(vector: FloatArray, count: int) -> Sequence[int]:
        scores = vectors @ vector
        chosen = np.argpartition(-scores, count)[:count] if count < len(scores) else np.arange(len(scores))
        ordered: list[int] = chosen[np.argsort(-scores[chosen], kind="stable")].tolist()
        return ordered

    return nearest
