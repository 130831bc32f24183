"""What is newer than an index version: histories of clients who paid since, and companies that went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from services.contracts.factors import History, IntArray
from services.contracts.fresh import NONE, Fresh
from services.recommender.domain.clients import ClientHistories

NOBODY = np.zeros((0, 2), dtype=np.uint64)
NO_COMPANIES = np.zeros(0, dtype=np.int32)
NO_NUMBERS = np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Of one version; never changes. number: of the object that it came from, 0 for none.

    changed_at: the commit of the newest load that changed one of the histories. barred: companies, by dense ids, that
    must not be recommended; successors: under which company those that were merged go on.
    """

    number: int = 0
    changed_at: datetime | None = None
    clients: ClientHistories = field(
        default_factory=lambda: ClientHistories(NOBODY, np.zeros(1, np.int64), NO_COMPANIES, NO_NUMBERS, NO_NUMBERS)
    )
    barred_companies: IntArray = field(default_factory=lambda: NO_COMPANIES)
    barred: frozenset[int] = frozenset()
    successors: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, fresh: Fresh) -> "Overlay":
        """As the recommender looks at it."""
        columns = fresh.columns
        histories = (columns.companies, columns.weights, columns.habits)
        pairs = zip(columns.barred.tolist(), columns.successors.tolist(), strict=True)
        return cls(
            number=fresh.header.number,
            changed_at=fresh.header.changed_at,
            clients=ClientHistories(columns.keys, columns.offsets, *histories),
            barred_companies=columns.barred,
            barred=frozenset(columns.barred.tolist()),
            successors={company: successor for company, successor in pairs if successor != NONE},
        )

    def find(self, client_id: str) -> History | None:
        """The client's newer history, which is empty where nothing is left of it; None where there is no newer one."""
        return self.clients.find(client_id) if len(self.clients.keys) else None

    def knows(self, key: tuple[int, int]) -> bool:
        """Whether the client of a client_key has a newer history."""
        return len(self.clients.keys) > 0 and self.clients.row_of_key(key) is not None

    def left_out(self, history: History) -> frozenset[int]:
        """Companies that a client with this history must not get: those that went, and what it paid under old codes."""
        if not self.successors:
            return self.barred
        paid = map(self.successors.get, history.companies.tolist())
        return self.barred.union(company for company in paid if company is not None)

    def with_successors(self, history: History) -> History:
        """And, as paid as often, the companies under which old codes go on; what speaks for others stays the old code.

        A successor may have no factors yet, so it gets no weight.
        """
        if not self.successors or self.successors.keys().isdisjoint(history.companies.tolist()):
            return history
        habits: dict[int, float] = {}
        for company, habit in zip(history.companies.tolist(), history.habits.tolist(), strict=True):
            if (successor := self.successors.get(company)) is not None:
                habits[successor] = max(habit, habits.get(successor, 0.0))
        for paid in history.companies.tolist():
            habits.pop(paid, None)
        return History(
            np.append(history.companies, np.array(list(habits), dtype=np.int32)),
            np.append(history.weights, np.zeros(len(habits), dtype=np.float32)),
            np.append(history.habits, np.array(list(habits.values()), dtype=np.float32)),
        )


NOTHING_NEWER = Overlay()
