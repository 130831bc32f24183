"""What can happen to the source's payments, each as one statement with the database's own time as updated_at."""

import uuid
from enum import Enum

import asyncpg
import numpy as np

from demo.live.habits import PastHabits

# Corrections and refunds meet one of so many payments that changed last.
RECENT_PAYMENTS = 500
LATE_DAYS = 4.0


class Change(Enum):
    """The kinds of change."""

    PAYMENT = "payment"
    WAITING_PAYMENT = "waiting payment"
    LATE_PAYMENT = "late payment"
    CORRECTION = "correction"
    REFUND = "refund"
    SETTLEMENT = "settlement"


# Settlements are tried more often than payments begin to wait, so that none waits for ever.
SHARES = {
    Change.PAYMENT: 0.70,
    Change.WAITING_PAYMENT: 0.06,
    Change.LATE_PAYMENT: 0.04,
    Change.CORRECTION: 0.06,
    Change.REFUND: 0.04,
    Change.SETTLEMENT: 0.10,
}

_ADD = """
INSERT INTO source.payments
    (id, company_code, payment_at, status, amount, external_client_id, created_at, updated_at)
SELECT $1, $2, CASE WHEN $5 = 'paid' THEN time - $6 * interval '1 second' END, $5, $4, $3, time, time
FROM clock_timestamp() AS time
"""

_CHANGE_RECENT = """
UPDATE source.payments SET {change}, updated_at = clock_timestamp()
WHERE (id, company_code) = (
    SELECT id, company_code FROM source.payments WHERE status = 'paid' ORDER BY updated_at DESC OFFSET $1 LIMIT 1
)
"""
_CORRECT = _CHANGE_RECENT.format(change="amount = greatest(round(amount * $2, 2), 0) + 0.01")
_REFUND = _CHANGE_RECENT.format(change="status = 'refunded'")

_SETTLE = """
UPDATE source.payments SET status = 'paid', payment_at = time, updated_at = time
FROM clock_timestamp() AS time
WHERE (id, company_code) = (
    SELECT id, company_code FROM source.payments WHERE status = 'pending' ORDER BY updated_at LIMIT 1
)
"""


class Traffic:
    """Chooses and makes changes; `random` decides all but ids and times."""

    def __init__(self, connection: asyncpg.Connection, habits: PastHabits, random: np.random.Generator) -> None:
        self._connection = connection
        self._habits = habits
        self._random = random

    def choose(self) -> Change:
        """A kind of change, by their shares."""
        return list(SHARES)[self._random.choice(len(SHARES), p=list(SHARES.values()))]

    async def make(self, kind: Change) -> bool:
        """Makes one change; False when there was no payment of the kind that it needs."""
        tag = await self._execute(kind)
        return tag.endswith(" 1")

    async def _execute(self, kind: Change) -> str:
        match kind:
            case Change.PAYMENT:
                return await self._add("paid", 0)
            case Change.WAITING_PAYMENT:
                return await self._add("pending", 0)
            case Change.LATE_PAYMENT:
                return await self._add("paid", 86_400 * (1 + self._random.exponential(LATE_DAYS)))
            case Change.CORRECTION:
                factor = round(float(self._random.uniform(0.5, 1.5)), 2)
                return await self._connection.execute(_CORRECT, self._recent(), factor)
            case Change.REFUND:
                return await self._connection.execute(_REFUND, self._recent())
            case Change.SETTLEMENT:
                return await self._connection.execute(_SETTLE)

    def _recent(self) -> int:
        return int(self._random.integers(RECENT_PAYMENTS))

    async def _add(self, status: str, seconds_late: float) -> str:
        payment = self._habits.draw(self._random)
        return await self._connection.execute(
            _ADD, uuid.uuid4().hex, payment.company_code, payment.client, payment.amount, status, seconds_late
        )
