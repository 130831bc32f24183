"""From a client's id to what it paid. The bundle holds hashes of the ids, never an id."""

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.contracts.client_keys import client_key
from services.contracts.factors import FloatArray, History, IntArray


@dataclass(frozen=True, slots=True)
class ClientHistories:
    """Arrays as the bundle has them. keys: (clients, 2) ascending; offsets: (clients + 1,) into the other three."""

    keys: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    companies: IntArray
    weights: FloatArray
    habits: FloatArray
    _highs: memoryview = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A number of it costs a tenth of what numpy takes for one.
        object.__setattr__(self, "_highs", self.keys[:, 0].data)

    def row(self, client_id: str) -> int | None:
        """The client's row of the bundle's arrays; None for a client that the index does not know."""
        return self.row_of_key(client_key(client_id))

    def row_of_key(self, key: tuple[int, int]) -> int | None:
        """The row of a client_key."""
        high, low = key
        row = bisect_left(self._highs, high)
        while row < len(self.keys) and self._highs[row] == high:
            if self.keys.item(row, 1) == low:
                return row
            row += 1
        return None

    def of(self, row: int) -> History:
        """What the client of a row paid. Views, no copies."""
        part = slice(self.offsets.item(row), self.offsets.item(row + 1))
        return History(self.companies[part], self.weights[part], self.habits[part])

    def find(self, client_id: str) -> History | None:
        """The client's history; None for a client that the index does not know."""
        row = self.row(client_id)
        return None if row is None else self.of(row)
