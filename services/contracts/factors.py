"""The factors of an index: what a client's history and the companies are multiplied by to give scores.

The model is a linear autoencoder (EASE, Steck 2019, https://arxiv.org/abs/1905.03375) in factors: score(client, j) is
the sum over the client's history of weight_i x source_i . target_j, on one scale for all clients, and a part that is
the company's alone: its popularity, in the last number of its target.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.contracts import exact

# So many companies of the longest targets are always looked at, whatever the search through Annoy finds.
LONGEST = 1000
# Half of the distance from 1 to the next float32: what one operation may be wrong by, as a share.
ROUNDING = 2.0**-24
# A query has the length of 1 and, in the last place, 1 more.
QUERY_LENGTH = 2.0**0.5
CHUNK_ROWS = 4096

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Nearest = Callable[[FloatArray, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Longest:
    """The companies that are always looked at: dense ids, ascending, with targets and doubts.

    rows: (indexed,), where a company stands among them; `len(companies)` for all others.
    """

    rows: NDArray[np.int64]
    companies: NDArray[np.int64]
    target: FloatArray
    doubt: FloatArray


@dataclass(frozen=True, slots=True)
class Factors:
    """The companies of an index. source, target: (indexed, d); popular: all dense ids, most clients first.

    The last number of a source is 0: it is the place of popularity, which no history brings.
    `nearest(query, count)` gives up to `count` dense ids, of targets near the query, (d,); None: all are looked at.
    doubt: (indexed,), by how much a score in float32 may be wrong, in whatever order it is summed. source_reach: the
    largest number of the sources; target_unit: see exact.unit, for sums over a target.
    """

    source: FloatArray
    target: FloatArray
    popular: IntArray
    nearest: Nearest | None
    habit_weight: float
    doubt: FloatArray = field(init=False, repr=False)
    source_reach: float = field(init=False, repr=False)
    target_unit: float = field(init=False, repr=False)
    longest: Longest = field(init=False, repr=False)

    def __post_init__(self) -> None:
        norms = lengths(self.target)
        # Higham 2002, Accuracy and Stability of Numerical Algorithms, (3.5); a little more, as this is rounded itself.
        share = 1.1 * (self.target.shape[1] + 4) * ROUNDING * QUERY_LENGTH
        doubt = (norms * share).astype(np.float32)
        companies = np.sort(np.argsort(-norms, kind="stable")[:LONGEST])
        object.__setattr__(self, "doubt", doubt)
        object.__setattr__(self, "source_reach", reach(self.source))
        # No number of a query is above 1.
        object.__setattr__(self, "target_unit", exact.unit(reach(self.target) * self.target.shape[1]))
        rows = np.full(len(norms), len(companies))
        rows[companies] = np.arange(len(companies))
        object.__setattr__(self, "longest", Longest(rows, companies, self.target[companies], doubt[companies]))


@dataclass(frozen=True, slots=True)
class History:
    """What a client paid: dense ids, their weights in its vector, and habits 0..1; three arrays of one length."""

    companies: IntArray
    weights: FloatArray
    habits: FloatArray


def padded(target: FloatArray) -> FloatArray:
    """(n, d) -> (n, d + 1), all of one norm: then the angle to (query, 0) orders as the dot product does.

    Bachrach et al. 2014, https://doi.org/10.1145/2645710.2645741. But those that are always looked at are cut to the
    length of the shortest of them: else a few long ones leave hardly an angle between all the others.
    """
    norms = lengths(target)
    common = np.partition(norms, -LONGEST)[-LONGEST] if len(norms) > LONGEST else norms.max(initial=0.0)
    shares = np.minimum(common / np.maximum(norms, np.finfo(np.float64).tiny), 1.0)
    rest = np.sqrt(np.maximum(common**2 - (norms * shares) ** 2, 0.0))
    return np.hstack([target * shares[:, None], rest[:, None]]).astype(np.float32)


def reach(vectors: FloatArray) -> float:
    """The largest absolute number."""
    return max(float(vectors.max(initial=0.0)), -float(vectors.min(initial=0.0)))


def lengths(vectors: FloatArray) -> NDArray[np.float64]:
    """(n,) of the rows of (n, d), some at a time: no copy of all in eight bytes."""
    parts = (vectors[first : first + CHUNK_ROWS] for first in range(0, len(vectors), CHUNK_ROWS))
    return np.concatenate([np.empty(0), *(exact.lengths(part) for part in parts)])
