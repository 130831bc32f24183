"""What clients have paid so far, and what one of them pays next."""

from dataclasses import dataclass
from decimal import Decimal

import asyncpg
import numpy as np
from numpy.typing import NDArray

MOST_PAIRS = 200_000
NEW_COMPANY = 0.12
_AMOUNT_SPREAD = 0.15

_PAIRS = """
SELECT external_client_id, company_code, count(*) AS payments, avg(amount)::float8 AS amount
FROM source.payments
WHERE external_client_id IS NOT NULL AND amount IS NOT NULL
GROUP BY external_client_id, company_code
ORDER BY max(updated_at) DESC, external_client_id, company_code
LIMIT $1
"""


class NoPaymentsError(Exception):
    """The source holds no payments to learn habits from."""


@dataclass(frozen=True)
class NextPayment:
    """Who pays whom how much; `amount` has two decimals."""

    client: str
    company_code: str
    amount: Decimal


class PastHabits:
    """The pairs of client and company with their number of payments (1 or more) and their mean amount."""

    def __init__(self, pairs: list[tuple[str, str, int, float]]) -> None:
        clients, companies, payments, amounts = zip(*pairs, strict=True)
        self._clients, self._client_of = np.unique(np.array(clients, object), return_inverse=True)
        self._companies, self._company_of = np.unique(np.array(companies, object), return_inverse=True)
        self._amounts = np.array(amounts, np.float64)
        self._cumulative = np.cumsum(payments)
        self._by_client, self._by_company = _Groups(self._client_of), _Groups(self._company_of)

    def draw(self, random: np.random.Generator) -> NextPayment:
        """Mostly what a client pays often; now and then a company that one pays who pays the same as this client."""
        pair = int(np.searchsorted(self._cumulative, random.integers(self._cumulative[-1]), side="right"))
        paid = self._company_of_a_neighbour(random, pair) if random.random() < NEW_COMPANY else pair
        cents = round(float(self._amounts[paid] * random.lognormal(0, _AMOUNT_SPREAD) * 100))
        return NextPayment(
            client=self._clients[self._client_of[pair]],
            company_code=self._companies[self._company_of[paid]],
            amount=Decimal(max(cents, 1)).scaleb(-2),
        )

    def _company_of_a_neighbour(self, random: np.random.Generator, pair: int) -> int:
        """A pair of some client that also pays the company of `pair`."""
        shared = self._by_company.draw(random, self._company_of[pair])
        return self._by_client.draw(random, self._client_of[shared])


class _Groups:
    """Positions by their group, to draw one of a group at once."""

    def __init__(self, group_of: NDArray[np.int64]) -> None:
        self._order = np.argsort(group_of, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(group_of))])

    def draw(self, random: np.random.Generator, group: int) -> int:
        return int(self._order[random.integers(self._starts[group], self._starts[group + 1])])


async def read_habits(connection: asyncpg.Connection) -> PastHabits:
    """The habits that show in the source's newest pairs; NoPaymentsError when there are none."""
    rows = await connection.fetch(_PAIRS, MOST_PAIRS)
    if not rows:
        raise NoPaymentsError("the source holds no payments; load a dataset before the live mode")
    return PastHabits([(row[0], row[1], row[2], row[3]) for row in rows])
