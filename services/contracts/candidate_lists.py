"""Lists made when an index is built: what exact ranking gives a client who asks for new companies and no more.

A client has a row of three arrays, or none; see bundle.LIST_ROWS_FILE and those after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.ranking import FROM_HISTORY, Places

# How long they are: what is asked for is seldom more than ten, and twice that leaves room for a longer page.
LIST_LENGTH = 20
# In place of a company, where the catalogue has no more; in place of a row, for a client without a list.
NOBODY = -1


@dataclass(frozen=True, slots=True)
class CandidateLists:
    """rows: (clients,), the row of each client's list; the others: (lists, length), best first."""

    rows: NDArray[np.int32]
    companies: NDArray[np.int32]
    scores: NDArray[np.float32]
    kinds: NDArray[np.uint8]

    def places(self, row: int, count: int) -> Places:
        """The first places of a list, as the ranking tells them; fewer where the catalogue has no more companies."""
        companies = self.companies[row, :count].tolist()
        if companies[-1] == NOBODY:
            del companies[companies.index(NOBODY) :]
        size = len(companies)
        return Places(companies, self.scores[row, :size].tolist(), self.kinds[row, :size].tobytes(), bytes(size))


def list_problems(lists: CandidateLists, companies: int) -> Iterator[str]:
    """What lists of the right types and shapes must hold and do not, of a catalogue of so many companies."""
    taken = lists.rows[lists.rows != NOBODY]
    if not np.array_equal(taken, np.arange(len(lists.companies))):
        yield "every list once, in order of clients"
    if ((lists.companies < NOBODY) | (lists.companies >= companies)).any():
        yield f"dense ids below {companies}"
    is_short = lists.companies == NOBODY
    if (is_short[:, :-1] & ~is_short[:, 1:]).any():
        yield "companies from the first place on"
    if not np.isfinite(lists.scores).all() or (lists.kinds > FROM_HISTORY).any():
        yield "finite scores, and kinds that are known"
