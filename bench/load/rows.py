"""Made-up payments: all that a row holds follows from its number and age, so that any row can be made again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from services.contracts.lake import PAYMENTS_SCHEMA

Numbers = NDArray[np.int64]
STATUSES = pa.array(["paid", "pending", "refunded", "failed"])
COMPANIES, CLIENTS = 10_000, 200_000
SECOND, DAY = 1_000_000, 86_400_000_000
FIRST_MOMENT = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * SECOND
# Numbers from here on are for the new rows of batches.
MOST_KNOWN = 5_000_000
# The new rows of windows are not those of scattered batches, of which there are fewer.
WINDOWS = 100
# A batch: rows seen before, rows that changed since, rows never seen.
CHANGED_SHARE, NEW_SHARE = 0.07, 0.03


@dataclass(frozen=True, slots=True)
class Payments:
    """Rows by number; `age` counts how often each has changed since it was first seen."""

    number: Numbers
    age: Numbers

    def table(self, first_position: int = 0) -> pa.Table:
        """In the schema of the lake, in this order."""
        mixed = _mixed(self.number)
        created = FIRST_MOMENT + self.number % MOST_KNOWN * (10 * SECOND) + mixed % (10 * SECOND)
        cents = mixed % 9_000_00 + 1_00 + self.age
        columns = [
            _texts("P", self.number + 10**9),
            _texts("C", mixed % COMPANIES),
            _times(created + 600 * SECOND),
            STATUSES.take(pa.array((mixed + self.age) % len(STATUSES))),
            pc.multiply(pa.array(cents), Decimal("0.01")).cast(pa.decimal128(18, 2)),
            _texts("client-", mixed // COMPANIES % CLIENTS),
            _times(created),
            _times(created + 1200 * SECOND + self.age * DAY),
            pa.array(np.arange(len(self.number)) + first_position),
        ]
        return pa.Table.from_arrays(columns, schema=PAYMENTS_SCHEMA)


def first_seen(start: int, count: int) -> Payments:
    """`count` payments as they were first seen, from number `start` on."""
    numbers = np.arange(start, start + count, dtype=np.int64)
    return Payments(numbers, np.zeros_like(numbers))


def scattered(known: int, size: int, turn: int) -> Payments:
    """The batch number `turn` on a table that holds the numbers below `known`: 90 % unchanged, 7 % changed, 3 % new.

    Its rows come from all over the table, in no order. Batches of other turns change other payments.
    """
    random = np.random.default_rng(turn)
    changed, new = _shares(size)
    # The last quarter of the known ones is for changes, each turn its own; the rest stays as it was first seen.
    steady = known * 3 // 4
    seen = random.choice(steady, size - changed - new, replace=False)
    to_change = steady + (turn * changed + np.arange(changed)) % (known - steady)
    return _batch(seen, to_change, _unknown(known, turn * new, new), random.permutation(size))


def window(known: int, size: int, turn: int) -> Payments:
    """The same shares as a pass of the source brings them: what was updated since some moment, by number."""
    changed, new = _shares(size)
    first_seen = known - (size - changed - new)
    to_change = first_seen - (turn + 1) * changed + np.arange(changed)
    unordered = _batch(
        np.arange(first_seen, known), to_change, _unknown(known, (WINDOWS + turn) * new, new), np.arange(size)
    )
    order = np.argsort(unordered.number)
    return Payments(unordered.number[order], unordered.age[order])


def _shares(size: int) -> tuple[int, int]:
    return round(size * CHANGED_SHARE), round(size * NEW_SHARE)


def _unknown(known: int, start: int, count: int) -> Numbers:
    """Numbers never seen, whose times are after those of the known ones."""
    return MOST_KNOWN + known + start + np.arange(count, dtype=np.int64)


def _batch(seen: Numbers, changed: Numbers, new: Numbers, order: Numbers) -> Payments:
    # A week of age: whatever changed did so after all that is only seen again.
    age = np.repeat([0, 7, 0], [len(seen), len(changed), len(new)])
    return Payments(np.concatenate([seen, changed, new])[order], age[order])


def _mixed(numbers: Numbers) -> Numbers:
    """Numbers that look like chance, not below 0."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(2)).astype(np.int64)


def _texts(prefix: str, numbers: Numbers) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _times(microseconds: Numbers) -> pa.Array:
    return pa.array(microseconds).cast(PAYMENTS_SCHEMA.field("created_at").type)
