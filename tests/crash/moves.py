"""A source that moves between runs: few keys and few values, so that the same observations meet again and again."""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.crash.plan import STEP
from tests.integration.warehouse.oracle import EPOCH, Key, Observation

MAX_ROWS_OF_ID = 6
MAX_BAD_ROWS = 4
MAX_AHEAD = 2
IDS = [f"p{number}" for number in range(8)]
CODES = ["c0", "c1"]
AHEAD_IDS = ["a0", "a1"]
# How far behind the source's clock a row may be dated; all of it within the overlap of 48 hours.
AGES = [timedelta(0), timedelta(minutes=1), timedelta(hours=1), timedelta(hours=7), timedelta(hours=30)]
# Of the source's future, and yet behind our clock: refused by a pass, and taken by a replay.
AHEAD = 2 * STEP
BAD_FIELDS: list[dict[str, Any]] = [{"amount": None}, {"amount": "many"}, {"status": ""}, {"company_code": ["c0"]}]


@dataclass(frozen=True)
class Refused:
    """Rows that a pass refuses: `bad` ones for ever, those `ahead` until their moment has come."""

    bad: list[dict[str, Any]]
    ahead: list[Observation]

    def __len__(self) -> int:
        return len(self.bad) + len(self.ahead)

    def without(self, clients: Collection[str]) -> "Refused":
        """Those of others."""
        bad = [row for row in self.bad if row["external_client_id"] not in clients]
        return Refused(bad, [row for row in self.ahead if row.external_client_id not in clients])

    def of_days(self, first: date, last: date) -> "Refused":
        """Those ahead that are of these days; bad rows are of none."""
        return Refused([], [row for row in self.ahead if first <= row.updated_at.date() <= last])


@dataclass
class Payments:
    """What the source holds of payments: its rows, in no order, rows that nobody can take, and rows of its future."""

    chance: random.Random
    clock: datetime
    rows: list[Observation] = field(default_factory=list)
    bad: list[dict[str, Any]] = field(default_factory=list)
    ahead: list[Observation] = field(default_factory=list)
    # The first of them pays most; no two ever have the same name.
    clients: list[str] = field(default_factory=lambda: ["client-a", "client-b"])
    # Of each key all that was ever shown: it may come back.
    past: list[Observation] = field(default_factory=list)

    def move(self, clock: datetime) -> None:
        """Some changes, up to a moment of the source's own clock."""
        self.clock = clock
        self.past = (self.past + self.rows)[-100:]
        # Once its moment has come, the source shows it no more.
        self.ahead = [row for row in self.ahead if row.updated_at > clock]
        moves: list[Callable[[], None]] = [
            self._add, self._add, self._change, self._change, self._change, self._touch, self._make_late, self._tie,
            self._show_again, self._repeat, self._remove, self._spoil, self._hurry,
        ]  # fmt: skip
        for _ in range(self.chance.randint(0, 7)):
            self.chance.choice(moves)()

    def replace_client(self) -> str:
        """A client of whom no more comes than what the source holds; a new one pays from now on."""
        client = self.clients.pop(self.chance.randrange(len(self.clients)))
        newest = max([client, *self.clients])
        self.clients.append(newest[:-1] + chr(ord(newest[-1]) + 1))
        return client

    @property
    def refused(self) -> Refused:
        """What whoever reads all of them refuses now."""
        return Refused(list(self.bad), list(self.ahead))

    def as_json(self) -> list[dict[str, Any]]:
        """As the source gives them."""
        return [*map(as_json, self.rows), *self.bad, *map(as_json, self.ahead)]

    def _add(self) -> None:
        key = self.chance.choice(IDS), self.chance.choice(CODES)
        if sum(row.payment_id == key[0] for row in self.rows) < MAX_ROWS_OF_ID:
            self.rows.append(self._observation(key))

    def _change(self) -> None:
        self._replace(lambda row: self._observation(row.key))

    def _touch(self) -> None:
        self._replace(lambda row: replace(row, updated_at=self.clock))

    def _make_late(self) -> None:
        self._replace(lambda row: replace(self._observation(row.key), updated_at=self.clock - AGES[-1]))

    def _tie(self) -> None:
        self._replace(lambda row: replace(self._observation(row.key), updated_at=row.updated_at))

    def _show_again(self) -> None:
        if self.past:
            old = self.chance.choice(self.past)
            self._replace(lambda row: old if row.key == old.key else row)

    def _repeat(self) -> None:
        if self.rows:
            row = self.chance.choice(self.rows)
            if sum(other.payment_id == row.payment_id for other in self.rows) < MAX_ROWS_OF_ID:
                self.rows.append(row)

    def _remove(self) -> None:
        if self.rows:
            self.rows.remove(self.chance.choice(self.rows))

    def _spoil(self) -> None:
        """A bad row comes, or the oldest ones go."""
        if len(self.bad) == MAX_BAD_ROWS:
            self.bad = []
        good = as_json(self._observation((f"bad-{self.chance.randrange(10**9)}", "c0")))
        # Later than any window, so that every pass is shown it; none believes it.
        future = {"updated_at": (self.clock + timedelta(days=30)).isoformat()}
        self.bad.append(good | future | self.chance.choice([*BAD_FIELDS, {}]))

    def _hurry(self) -> None:
        if len(self.ahead) < MAX_AHEAD:
            key = self.chance.choice(AHEAD_IDS), CODES[0]
            self.ahead.append(replace(self._observation(key), updated_at=self.clock + AHEAD))

    def _replace(self, change: Callable[[Observation], Observation]) -> None:
        if self.rows:
            place = self.chance.randrange(len(self.rows))
            self.rows[place] = change(self.rows[place])

    def _observation(self, key: Key) -> Observation:
        return Observation(
            *key,
            updated_at=self.clock - self.chance.choice(AGES),
            status=self.chance.choice(["paid", "paid", "pending"]),
            amount=self.chance.choice([Decimal("10.00"), Decimal("10.00"), Decimal("12.50")]),
            external_client_id=self.chance.choice([self.clients[0], *self.clients]),
            payment_at=self.chance.choice([EPOCH, EPOCH, None]),
        )


@dataclass
class Companies:
    """The source's catalogue: names change, one company at a time goes away or comes back."""

    chance: random.Random
    names: dict[str, str] = field(default_factory=lambda: {f"c{number}": "Name" for number in range(20)})
    absent: str = ""

    def move(self) -> None:
        """Some changes."""
        self.absent = self.chance.choice(["", "c3", "c4"])
        for code in self.chance.sample(sorted(self.names), 2):
            self.names[code] = self.chance.choice(["Name", "Other name"])

    def listed(self) -> dict[str, str]:
        """Name by code."""
        return {code: name for code, name in self.names.items() if code != self.absent}

    def as_json(self) -> list[dict[str, Any]]:
        """As the source gives it."""
        numbers = enumerate(self.names)
        listed = self.listed()
        return [
            {"id": number, "company_code": code, "company_name": listed[code]}
            for number, code in numbers
            if code in listed
        ]


def as_json(row: Observation) -> dict[str, Any]:
    """As the source gives it."""
    return {
        "id": row.payment_id,
        "company_code": row.company_code,
        "payment_at": row.payment_at and row.payment_at.isoformat(),
        "status": row.status,
        "amount": float(row.amount),
        "external_client_id": row.external_client_id,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
    }
