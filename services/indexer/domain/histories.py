"""What each client paid, as a bundle holds it."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from services.contracts.factors import FloatArray, History, IntArray
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

    def of_clients(self, clients: LongInts) -> "Histories":
        """Those of some clients, in the order given."""
        begins, sizes = self.offsets[clients], self.offsets[clients + 1] - self.offsets[clients]
        offsets = np.append(0, np.cumsum(sizes))
        places = np.repeat(begins - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Histories(offsets, self.companies[places], self.weights[places], self.habits[places])

    def of(self, client: int) -> History:
        """What the client paid."""
        place = slice(int(self.offsets[client]), int(self.offsets[client + 1]))
        return History(self.companies[place], self.weights[place], self.habits[place])
