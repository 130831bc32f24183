"""What each client paid, as a bundle holds it."""

from dataclasses import dataclass

from services.contracts.ranking import FloatArray, History, IntArray
from services.indexer.domain.payments import LongInts


@dataclass(frozen=True, slots=True)
class Histories:
    """A client's slice is offsets[client] : offsets[client + 1] of the three arrays; by dense id within it."""

    offsets: LongInts
    companies: IntArray
    weights: FloatArray
    habits: FloatArray

    def of(self, client: int) -> History:
        """What the client paid."""
        place = slice(int(self.offsets[client]), int(self.offsets[client + 1]))
        return History(self.companies[place], self.weights[place], self.habits[place])
