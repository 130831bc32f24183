"""Training payments as columns of small integers: what everything in this package computes on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MICROSECONDS_A_DAY = 86_400_000_000

Ints = NDArray[np.int32]
LongInts = NDArray[np.int64]
Mask = NDArray[np.bool_]

# So many ranges of clients are looked at one after the other, where memory must not grow with the payments.
RANGES = 64


# Where the period of all but a few payments is asked for, and how much of it may lie on either side of that.
FAR = 0.002
MOST_BEYOND = 0.1
MOST_ASKED_FOR_PERIOD = 1_000_000


@dataclass(frozen=True, slots=True)
class Period:
    """From the first payment to the newest, in microseconds since 1970."""

    first: int
    newest: int

    @property
    def span(self) -> int:
        """Microseconds."""
        return self.newest - self.first


@dataclass(frozen=True, slots=True)
class Payments:
    """Four columns of one length. `at`: microseconds since 1970 in UTC; `cents`: the amount in hundredths.

    Clients are numbered 0 .. clients-1 and companies 0 .. companies-1, in a part of the payments as in the whole.
    """

    client: Ints
    company: Ints
    at: LongInts
    cents: LongInts
    clients: int
    companies: int

    def __len__(self) -> int:
        return len(self.client)

    @property
    def first(self) -> int:
        """Time of the first payment; there must be one."""
        return int(self.at.min())

    @property
    def newest(self) -> int:
        """Time of the newest payment; there must be one."""
        return int(self.at.max())

    @property
    def period(self) -> Period:
        """From the first payment to the newest, but for what lies far from nearly all others.

        One payment dated 1970 or 2100 by mistake must not stretch the time by which all the rest is weighed and cut.
        """
        some = self.at[:: max(len(self) // MOST_ASKED_FOR_PERIOD, 1)]
        low, high = np.quantile(some, (FAR, 1.0 - FAR), method="nearest")
        beyond = int((high - low) * MOST_BEYOND)
        # What lies far is left out altogether: so the cut is where it would be without it.
        first = self.first if self.first >= low - beyond else int(low)
        newest = self.newest if self.newest <= high + beyond else int(high)
        return Period(first, newest)

    def where(self, rows: Mask | LongInts | slice) -> "Payments":
        """Some of the rows, in the order given; of a slice, without a copy."""
        return replace(
            self, client=self.client[rows], company=self.company[rows], at=self.at[rows], cents=self.cents[rows]
        )

    def in_order(self) -> "Payments":
        """By client, company, time and amount, so that nothing depends on the order in which rows were read."""
        return self.where(np.lexsort((self.cents, self.at, self.company, self.client)))

    def client_ranges(self, count: int) -> list[tuple[int, int]]:
        """At most `count` ranges of clients, first and beyond, about equal: clients are numbered by hash."""
        bounds = [self.clients * place // count for place in range(count + 1)]
        return [(first, beyond) for first, beyond in pairwise(bounds) if first < beyond]

    def between_clients(self, first: int, beyond: int) -> "Payments":
        """Those of a range of clients, without a copy; payments must be in order. Numbers stay those of the whole."""
        begin, end = np.searchsorted(self.client, np.array([first, beyond], dtype=np.int32))
        return self.where(slice(int(begin), int(end)))

    def of_first_clients(self, most: int) -> "Payments":
        """All payments of as many clients as have at most so many of them, without a copy; of one at least.

        Clients are numbered by hashes: the first of them are a sample by chance. Payments must be in order.
        """
        if len(self) <= most:
            return self
        beyond = max(int(self.client[most]), int(self.client[0]) + 1)
        return replace(self.between_clients(0, beyond), clients=beyond)

    def by_clients(self) -> Iterator["Payments"]:
        """All payments, some clients at a time, without a copy; they must be in order."""
        parts = (self.between_clients(*clients) for clients in self.client_ranges(RANGES))
        return (part for part in parts if len(part))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who paid whom, by client and company. `last_at`: the newest payment; `pair_of_row`: the pair of each payment."""

    client: Ints
    company: Ints
    last_at: LongInts
    pair_of_row: LongInts

    def __len__(self) -> int:
        return len(self.client)

    @property
    def first_rows(self) -> LongInts:
        """Where the payments of each pair begin."""
        return np.flatnonzero(np.diff(self.pair_of_row, prepend=-1))

    @property
    def first_of_client(self) -> LongInts:
        """Where each client's pairs begin."""
        return np.flatnonzero(np.diff(self.client, prepend=-1))


@dataclass(frozen=True, slots=True)
class Split:
    """Payments up to the cut (microseconds) and those after it."""

    before: Payments
    after: Payments
    cut: int


def pairs_of(payments: Payments) -> Pairs:
    """The pairs of payments that are in order."""
    client, company = payments.client, payments.company
    begins = np.ones(len(payments), dtype=np.bool_)
    begins[1:] = (client[1:] != client[:-1]) | (company[1:] != company[:-1])
    ends = np.append(begins[1:], True)[: len(payments)]
    return Pairs(client[begins], company[begins], payments.at[ends], np.cumsum(begins) - 1)


def split_by_time(payments: Payments, share: float) -> Split:
    """Cuts at `share` of the payments' period; the cut itself belongs to what is before."""
    period = payments.period
    return split_at(payments, period.first + int(period.span * share))


def split_at(payments: Payments, cut: int) -> Split:
    """Cuts at a moment, which itself belongs to what is before."""
    before = payments.at <= cut
    return Split(payments.where(before), payments.where(~before), cut)
