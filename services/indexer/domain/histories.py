"""What each client paid, as a bundle holds it."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from services.contracts.ranking import FloatArray, History, IntArray
from services.indexer.domain.payments import LongInts


@dataclass(frozen=True, slots=True)
class Histories:
    """A client's slice is offsets[client] : offsets[client + 1] of the three arrays; by dense id within it."""

    offsets: LongInts
    companies: IntArray
    weights: FloatArray
    habits: FloatArray

    def matrix(self, companies: int) -> "sparse.csr_matrix[np.float32]":
        """Clients x all companies, by dense id: the weights."""
        return sparse.csr_matrix((self.weights, self.companies, self.offsets), shape=(len(self.offsets) - 1, companies))

    def of(self, client: int) -> History:
        """What the client paid."""
        place = slice(int(self.offsets[client]), int(self.offsets[client + 1]))
        return History(self.companies[place], self.weights[place], self.habits[place])
