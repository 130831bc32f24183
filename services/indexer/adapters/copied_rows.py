"""PostgreSQL's binary COPY of rows whose every field has a fixed width: thousands are decoded by one view of the bytes.

The format: https://www.postgresql.org/docs/current/sql-copy.html, under File Formats.
"""

import numpy as np
from numpy.typing import NDArray

from services.indexer.adapters.partition_files import ROW, Rows

# Of each field a length in bytes, then the value, most significant byte first.
COPIED = np.dtype(
    [
        ("fields", ">i2"),
        ("key_bytes", ">i4"),
        ("high", ">u8"),
        ("low", ">u8"),
        ("company_bytes", ">i4"),
        ("company", ">i4"),
        ("at_bytes", ">i4"),
        ("at", ">i8"),
        ("cents_bytes", ">i4"),
        ("cents", ">i8"),
    ]
)
WIDTHS = {"fields": 4, "key_bytes": 16, "company_bytes": 4, "at_bytes": 8, "cents_bytes": 8}
SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER_BYTES = len(SIGNATURE) + 8
TRAILER = b"\xff\xff"
# Times are microseconds since 2000 there.
MICROSECONDS_TO_2000 = 946_684_800_000_000
NO_COMPANY = -1


class CopiedRows:
    """Takes the bytes as they come and gives them back as rows of the type ROW; it is full with `at_once` of them."""

    def __init__(self, at_once: int) -> None:
        self._wanted = at_once * COPIED.itemsize
        self._bytes = bytearray()
        self._is_begun = False
        self.left_out = 0

    @property
    def is_full(self) -> bool:
        """Time to take rows away."""
        return len(self._bytes) >= self._wanted

    def add(self, content: bytes) -> None:
        """Takes the next bytes."""
        self._bytes += content

    def rows(self) -> Rows:
        """All whole rows that have come, but for those to companies that are not in the catalogue."""
        if not self._is_begun:
            self._begin()
        size = len(self._bytes) // COPIED.itemsize * COPIED.itemsize
        copied = np.frombuffer(self._bytes[:size], dtype=COPIED)
        del self._bytes[:size]
        if any((copied[name] != width).any() for name, width in WIDTHS.items()):
            raise RuntimeError("PostgreSQL copied rows of another width than was asked for")
        known = copied[copied["company"] != NO_COMPANY]
        self.left_out += len(copied) - len(known)
        return _native(known)

    def last_rows(self) -> Rows:
        """The same, when all bytes have come."""
        rows = self.rows()
        if self._bytes != TRAILER:
            raise RuntimeError("what PostgreSQL copied does not end as it should")
        return rows

    def _begin(self) -> None:
        if not self._bytes.startswith(SIGNATURE):
            raise RuntimeError("what PostgreSQL copied does not begin as it should")
        del self._bytes[:HEADER_BYTES]
        self._is_begun = True


def _native(copied: NDArray[np.void]) -> Rows:
    rows = np.empty(len(copied), dtype=ROW)
    for name in ROW.names or ():
        rows[name] = copied[name]
    rows["at"] += MICROSECONDS_TO_2000
    return rows
