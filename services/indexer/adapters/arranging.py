"""Partition files become columns in order, on disk: partition after partition, so that memory holds one of them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.indexer.adapters.partition_files import PARTITIONS, Rows, take_partition
from services.indexer.domain.payments import Payments

COLUMNS = {"client": "<i4", "company": "<i4", "at": "<i8", "cents": "<i8"}


def arranged(folder: Path, companies: int) -> tuple[Payments, NDArray[np.uint64]]:
    """The payments of all partition files, of which there must be one, and the keys of their clients, (clients, 2).

    The columns are mapped from files in the folder: what is not in use, the system may drop from memory.
    """
    keys = [np.empty((0, 2), dtype=np.uint64)]
    for number in range(PARTITIONS):
        rows = _in_order(take_partition(folder, number))
        begins = _begins(rows)
        client = np.cumsum(begins, dtype=np.int32) - 1 + sum(map(len, keys))
        _append(folder, {"client": client, **{name: rows[name] for name in ("company", "at", "cents")}})
        keys.append(np.column_stack([rows["high"][begins], rows["low"][begins]]))
    client_keys = np.concatenate(keys)
    client, company, at, cents = (_mapped(folder, name) for name in COLUMNS)
    return Payments(client, company, at, cents, len(client_keys), companies), client_keys


def _in_order(rows: Rows) -> Rows:
    """By client, company, time and amount, so that nothing depends on the order in which rows were read."""
    ordered: Rows = rows[np.lexsort([rows[name] for name in ("cents", "at", "company", "low", "high")])]
    return ordered


def _begins(rows: Rows) -> NDArray[np.bool_]:
    """Whether a row is the first of its client."""
    begins = np.ones(len(rows), dtype=np.bool_)
    begins[1:] = (rows["high"][1:] != rows["high"][:-1]) | (rows["low"][1:] != rows["low"][:-1])
    return begins


def _append(folder: Path, columns: dict[str, NDArray[Any]]) -> None:
    for name, values in columns.items():
        with _path(folder, name).open("ab") as file:
            file.write(values.astype(COLUMNS[name]).tobytes())


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    return np.memmap(_path(folder, name), dtype=COLUMNS[name], mode="r").view(np.ndarray)


def _path(folder: Path, name: str) -> Path:
    return folder / f"payments.{name}"
