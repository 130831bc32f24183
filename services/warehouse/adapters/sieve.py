"""A sieve for scans of payments: leaves out most rows that a load does not name, before they are looked for in it.

A look into a hash table of 200,000 rows misses the processor's caches; a look at half a megabyte of marks does not.
A row passes when something of the load has its hash of `updated_at`. PostgreSQL hashes as we do (Jenkins' final mix,
hash_bytes_uint32 in its hashfn.c). Whether it does is asked in each load: a sieve that would lose rows is not used.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Words = NDArray[np.uint32]

MARKS = 1 << 22
# Of a row of {row}, with the marks as :marks. The sub-select hands them to parallel workers as they are.
PASSES = f"get_bit((SELECT CAST(:marks AS bytea)), timestamptz_hash({{row}}.updated_at) & {MARKS - 1}) = 1"
# In PostgreSQL time begins in 2000. The seed is that of a word of four bytes.
EPOCH = 946_684_800_000_000
SEED = (0x9E3779B9 + 4 + 3_923_095) % 2**32


class Sieve:
    """Takes in what a load names, batch after batch; a few MiB, whatever the load."""

    def __init__(self) -> None:
        self._marks = np.zeros(MARKS, dtype=np.bool_)

    def look_at(self, batch: pa.RecordBatch) -> None:
        """Lets rows pass that have an `updated_at` of this batch."""
        moments = batch.column("updated_at").cast(pa.int64()).to_numpy() - EPOCH
        self._marks[_hashes(moments) & np.uint32(MARKS - 1)] = True

    def to_bytes(self) -> bytes:
        """The marks as PostgreSQL counts bits: the lowest of each byte first."""
        return np.packbits(self._marks, bitorder="little").tobytes()


def _hashes(values: NDArray[np.int64]) -> Words:
    """hashint8: a negative number's high half is turned over, so that small numbers hash alike in any width."""
    high = (values >> 32).astype(np.uint32)
    word = values.astype(np.uint32) ^ np.where(values < 0, ~high, high)
    a, b, c = word + np.uint32(SEED), np.full_like(word, SEED), np.full_like(word, SEED)
    for rotation in (14, 11, 25, 16, 4, 14, 24):
        c = (c ^ b) - _rotated(b, rotation)
        # The next of the three is mixed with the one just mixed.
        a, b, c = b, c, a
    return b


def _rotated(word: Words, by: int) -> Any:
    return (word << np.uint32(by)) | (word >> np.uint32(32 - by))
