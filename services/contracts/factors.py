"""The factors of an index: what a client's history and the companies are multiplied by to give scores.

The model is a linear autoencoder (EASE, Steck 2019, https://arxiv.org/abs/1905.03375) in factors: score(client, j) is
the sum over the client's history of weight_i x source_i . target_j, on one scale for all clients, and a part that is
the company's alone: its popularity, in the last number of its target.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.contracts.scorer import Scorer, lengths

# Companies of the longest targets, for which Annoy's vectors are cut; and so many are looked at before it is asked.
LONGEST, LOOKED_AT = 1000, 2048

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Nearest = Callable[[FloatArray, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Factors:
    """The companies of an index. source, target: (indexed, d); popular: all dense ids, most clients first.

    The last number of a source is 0: it is the place of popularity, which no history brings.
    `nearest(query, count)` gives up to `count` dense ids, of targets near the query, (d,); None: all are looked at.
    """

    source: FloatArray
    target: FloatArray
    popular: IntArray
    nearest: Nearest | None
    habit_weight: float
    scorer: Scorer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scorer", Scorer(self.source, self.target, LOOKED_AT))


@dataclass(frozen=True, slots=True)
class History:
    """What a client paid: dense ids, their weights in its vector, and habits 0..1; three arrays of one length."""

    companies: IntArray
    weights: FloatArray
    habits: FloatArray


def padded(target: FloatArray) -> FloatArray:
    """(n, d) -> (n, d + 1), all of one norm: then the angle to (query, 0) orders as the dot product does.

    Bachrach et al. 2014, https://doi.org/10.1145/2645710.2645741. But the longest, which are looked at anyway, are cut
    to the length of the shortest of them: else a few long ones leave hardly an angle between all the others.
    """
    norms = lengths(target)
    common = np.partition(norms, -LONGEST)[-LONGEST] if len(norms) > LONGEST else norms.max(initial=0.0)
    shares = np.minimum(common / np.maximum(norms, np.finfo(np.float64).tiny), 1.0)
    rest = np.sqrt(np.maximum(common**2 - (norms * shares) ** 2, 0.0))
    return np.hstack([target * shares[:, None], rest[:, None]]).astype(np.float32)
