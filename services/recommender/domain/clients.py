"""From a client's id to what it paid. The bundle holds hashes of the ids, never an id."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.client_keys import client_key
from services.contracts.ranking import FloatArray, History, IntArray


@dataclass(frozen=True, slots=True)
class ClientHistories:
    """Arrays as the bundle has them. keys: (clients, 2) ascending; offsets: (clients + 1,) into the other three."""

    keys: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    companies: IntArray
    weights: FloatArray
    habits: FloatArray

    def find(self, client_id: str) -> History | None:
        """The client's history; None for a client that the index does not know. Views, no copies."""
        row = find_key(self.keys, client_key(client_id))
        if row is None:
            return None
        part = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        return History(self.companies[part], self.weights[part], self.habits[part])


def find_key(keys: NDArray[np.uint64], wanted: tuple[int, int]) -> int | None:
    """The row of a 128-bit key among (n, 2) ascending pairs, by two binary searches; None when it is not there."""
    high, low = np.uint64(wanted[0]), np.uint64(wanted[1])
    highs, lows = keys[:, 0], keys[:, 1]
    first, end = np.searchsorted(highs, high, "left"), np.searchsorted(highs, high, "right")
    row = first + np.searchsorted(lows[first:end], low)
    return int(row) if row < end and lows[row] == low else None
