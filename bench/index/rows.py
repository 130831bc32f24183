"""Made-up training rows: clients in groups, who mostly pay the companies of their group, and some again and again.

Few companies are paid often, within a group and over all, and a few clients pay much more often than most: as skewed as
real card payments are, whose tenth of the clients makes a third to a half of the payments.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from services.indexer.adapters.partition_files import ROW, PartitionFiles, Rows
from services.indexer.adapters.training_files import CATALOGUE_FILE, CATALOGUE_SCHEMA
from services.indexer.domain.training import RowsRead

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]
ROWS_AT_ONCE = 500_000
GROUPS = 50
# Of the payments: to a company of the client's group; to one of the client's habitual places in it.
OWN_GROUP, HABITUAL, HABITS = 0.7, 0.3, 6
# Of clients by activity: the share of the payments that the first x of them make is x ** (1 / ACTIVITY).
ACTIVITY = 2.0
# 1 would be Zipf's law; less, and the first companies have less.
HEAD = 0.6
FIRST_MOMENT = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
SPAN = 730 * 86_400_000_000
WATERMARK = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Size:
    """In numbers."""

    payments: int
    clients: int
    companies: int

    def divided(self, divisor: int) -> "Size":
        """The same, smaller."""
        return Size(self.payments // divisor, self.clients // divisor, max(10 * GROUPS, self.companies // divisor))


SIZES = {
    "1m_1k": Size(1_000_000, 100_000, 1_000),
    "10m_10k": Size(10_000_000, 1_000_000, 10_000),
    "100k_companies": Size(10_000_000, 1_000_000, 100_000),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Some payments: client and company by number, microseconds since 1970, cents."""

    client: Numbers
    company: Numbers
    at: Numbers
    cents: Numbers


class MadeRows:
    """The rows of a size as the indexer reads those of a warehouse; see TrainingRows."""

    def __init__(self, size: Size, keys: NDArray[np.uint64] | None = None) -> None:
        """`keys`: of the clients by number, (clients, 2), where something else than numbers must find them."""
        self._size = size
        self._keys = client_keys(np.arange(size.clients)) if keys is None else keys

    async def read(self, folder: Path) -> RowsRead:
        """See TrainingRows."""
        pq.write_table(_catalogue(self._size.companies), folder / CATALOGUE_FILE)
        with PartitionFiles(folder) as files:
            for batch in batches(self._size):
                files.add(_rows(batch, self._keys))
            return RowsRead(files.rows, 0, self._size.companies, WATERMARK, (), None)


def batches(size: Size) -> Iterator[Batch]:
    """All payments of a size, the same every time."""
    for begin in range(0, size.payments, ROWS_AT_ONCE):
        yield _batch(size, min(ROWS_AT_ONCE, size.payments - begin), np.random.default_rng([size.companies, begin]))


def client_keys(clients: Numbers) -> NDArray[np.uint64]:
    """(clients, 2), as evenly spread as hashes."""
    return np.column_stack([_mixed(clients), _mixed(clients + 2**40)])


def _batch(size: Size, count: int, random: np.random.Generator) -> Batch:
    client = (size.clients * random.random(count) ** ACTIVITY).astype(np.int64)
    habit = _share(_mixed(client * HABITS + random.integers(0, HABITS, count)))
    share = np.where(random.random(count) < HABITUAL, habit, random.random(count))
    own = _place(size.companies // GROUPS, share) * GROUPS + client % GROUPS
    place = np.where(random.random(count) < OWN_GROUP, own, _place(size.companies, share))
    at = FIRST_MOMENT + (SPAN * random.random(count) ** 0.7).astype(np.int64)
    return Batch(client, place, at, np.exp(random.normal(8, 1, count)).astype(np.int64))


def _place(count: int, share: Shares) -> Numbers:
    """0 .. count-1, the first ones most often."""
    place: Numbers = np.exp(share**HEAD * np.log(count + 1)).astype(np.int64) - 1
    return np.minimum(place, count - 1)


def _rows(batch: Batch, keys: NDArray[np.uint64]) -> Rows:
    rows = np.empty(len(batch.client), dtype=ROW)
    rows["high"], rows["low"] = keys[batch.client].T
    rows["company"], rows["at"], rows["cents"] = batch.company, batch.at, batch.cents
    return rows


def _mixed(numbers: Numbers) -> NDArray[np.uint64]:
    """Numbers of 64 bits that look like chance: splitmix64, https://prng.di.unimi.it/splitmix64.c"""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _share(numbers: NDArray[np.uint64]) -> Shares:
    """0 .. 1"""
    return (numbers >> np.uint64(11)).astype(np.float64) / 2**53


def _catalogue(companies: int) -> pa.Table:
    """Ids are as large and sparse as sources have them."""
    numbers = np.arange(companies)
    texts = {name: [f"{name[0]}{number:07d}" for number in numbers] for name in ("code", "Name")}
    group = numbers % GROUPS
    columns = [
        pa.array(numbers * 1_000_003 + 2**31),
        pa.array(texts["code"]),
        pa.array(texts["Name"]),
        pa.array(group),
        pa.array([f"Category {number}" for number in group]),
        pa.array(numbers % 10 == 0),
    ]
    return pa.Table.from_arrays(columns, schema=CATALOGUE_SCHEMA)
