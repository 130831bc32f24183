"""The rows of a Parquet object of the lake, raw or quarantine, that are of erased clients; and the object without them.

Both raise ArrowInvalid or OSError for bytes that are no sound Parquet.
"""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.ingest.adapters.parquet import to_parquet
from services.ingest.domain.erasure import ErasedClients, UnreadableRow

DECIDING = ("raw", "external_client_id", "created_at", "updated_at")


def count_erased(content: bytes, erased: ErasedClients) -> int:
    """How many they are; only the columns that decide are read."""
    return int(pc.sum(_are_erased(content, erased), min_count=0).as_py())


def without_erased(content: bytes, erased: ErasedClients) -> bytes:
    """The other rows, in their order."""
    whole = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    return to_parquet(whole.filter(pc.invert(_are_erased(content, erased))).to_batches())


def _are_erased(content: bytes, erased: ErasedClients) -> pa.Array:
    """One truth a row."""
    with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
        columns = [name for name in DECIDING if name in file.schema_arrow.names]
        rows = file.read(columns)
    if "raw" in columns:
        return pa.array([_may_not_stay(raw, erased) for raw in rows["raw"].to_pylist()], pa.bool_())
    return erased.covers(rows)


def _may_not_stay(raw: str, erased: ErasedClients) -> bool:
    """A text that is no JSON any more, being cut, goes too: nobody can replay it, nor say whom it is of."""
    try:
        return erased.are_mentioned(raw)
    except UnreadableRow:
        return True
