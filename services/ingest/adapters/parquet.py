"""Columns to Parquet and back, with page checksums written and verified: a flipped bit is an error, not other data."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from services.contracts.lake import QUARANTINE_SCHEMA
from services.ingest.domain.sifting import RefusedRow

MAX_RAW_BYTES = 64 * 1024
# White space stays, which may stand between the values.
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def refused_batch(rows: Sequence[RefusedRow]) -> pa.RecordBatch:
    """Reasons and raw texts, each cut where a row is larger than any payment could be."""
    texts = [readable(row.raw).encode()[:MAX_RAW_BYTES].decode(errors="ignore") for row in rows]
    return pa.RecordBatch.from_arrays(
        [pa.array([row.reason for row in rows]), pa.array(texts)], schema=QUARANTINE_SCHEMA
    )


def readable(raw: str) -> str:
    r"""JSON text; what no file can hold, or nobody see, as JSON escapes it; a byte that is no UTF-8 as \udc80 to ff."""
    return UNREADABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", raw)


def to_parquet(batches: Sequence[pa.RecordBatch]) -> bytes:
    """One zstd-compressed file of one or more batches."""
    sink = pa.BufferOutputStream()
    table = pa.Table.from_batches(batches)
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())


def from_parquet(content: bytes, columns: Sequence[str]) -> pa.Table:
    """Some columns of a file. Raises OSError where a page's checksum disagrees."""
    return pq.read_table(pa.BufferReader(content), columns=list(columns), page_checksum_verification=True)
