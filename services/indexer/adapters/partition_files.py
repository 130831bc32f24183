"""Payments on their way to a training, in files by client: memory does not grow with their number.

A client's file follows from the first bits of its key. Keys are hashes, so the files are of about one size; and clients
in order of their keys are those of the first file, then those of the second, and so on.
"""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from services.indexer.adapters.work_folder import disk_errors

PARTITION_BITS = 6
PARTITIONS = 1 << PARTITION_BITS
# high, low: the client's key; company: its row in the catalogue; at: microseconds since 1970; cents: the amount.
ROW = np.dtype([("high", "<u8"), ("low", "<u8"), ("company", "<i4"), ("at", "<i8"), ("cents", "<i8")])

Rows = NDArray[np.void]


class PartitionFiles:
    """Takes rows in any order; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._files: list[BinaryIO] = []
        self.rows = 0

    def __enter__(self) -> Self:
        paths = [partition_path(self._folder, number) for number in range(PARTITIONS)]
        with disk_errors():
            self._files = [self._stack.enter_context(path.open("wb")) for path in paths]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with disk_errors():
            self._stack.close()

    def add(self, rows: Rows) -> None:
        """Writes rows of the type ROW; the more at once, the quicker."""
        partition = (rows["high"] >> np.uint64(64 - PARTITION_BITS)).astype(np.uint8)
        order = np.argsort(partition, kind="stable")
        bounds = np.searchsorted(partition[order], np.arange(PARTITIONS + 1))
        sorted_rows = rows[order]
        with disk_errors():
            for number, file in enumerate(self._files):
                file.write(sorted_rows[bounds[number] : bounds[number + 1]].tobytes())
        self.rows += len(rows)


def partition_path(folder: Path, number: int) -> Path:
    """Where the rows of a partition are."""
    return folder / f"payments-{number:02d}.rows"


def take_partition(folder: Path, number: int) -> Rows:
    """The rows of a partition, in the order in which they came; its file is removed."""
    path = partition_path(folder, number)
    rows: NDArray[Any] = np.fromfile(path, dtype=ROW)
    path.unlink()
    return rows
