"""Columns to Parquet and back, with page checksums written and verified: a flipped bit is an error, not other data."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from services.contracts.lake import QUARANTINE_SCHEMA, TIMESTAMP
from services.ingest.domain.sifting import RefusedRow

# Texts that hardly come twice; a dictionary of them is as large as they are.
DISTINCT = ("payment_id", "raw")
# Rows come by id and often by time: what a value adds to the one before it is small.
ENCODINGS = {
    pa.int64(): "DELTA_BINARY_PACKED",
    TIMESTAMP: "DELTA_BINARY_PACKED",
    pa.string(): "DELTA_BYTE_ARRAY",
}
MAX_RAW_BYTES = 64 * 1024
# White space stays, which may stand between the values.
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def refused_batch(rows: Sequence[RefusedRow]) -> pa.RecordBatch:
    """Reasons and raw texts, each cut where a row is larger than any payment could be."""
    texts = [readable(row.raw).encode()[:MAX_RAW_BYTES].decode(errors="ignore") for row in rows]
    columns = [[row.reason for row in rows], texts]
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], schema=QUARANTINE_SCHEMA)


def readable(raw: str) -> str:
    r"""JSON text; what no file can hold, or nobody see, as JSON escapes it; a byte that is no UTF-8 as \udc80 to ff."""
    return UNREADABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", raw)


def to_parquet(batches: Sequence[pa.RecordBatch]) -> bytes:
    """One zstd-compressed file of one or more batches."""
    file = GrowingFile(batches[0].schema)
    file.add(batches)
    return file.close()


class GrowingFile:
    """A zstd-compressed file in memory, written row group by row group."""

    def __init__(self, schema: pa.Schema) -> None:
        repeating = [field.name for field in schema if field.type == pa.string() and field.name not in DISTINCT]
        encodings = {
            field.name: ENCODINGS[field.type]
            for field in schema
            if field.type in ENCODINGS and field.name not in repeating
        }
        self._sink = pa.BufferOutputStream()
        self._writer = pq.ParquetWriter(
            self._sink,
            schema,
            compression="zstd",
            write_page_checksum=True,
            use_dictionary=repeating,
            column_encoding=encodings,
        )

    def add(self, batches: Sequence[pa.RecordBatch]) -> None:
        """One more row group."""
        self._writer.write_table(pa.Table.from_batches(batches))

    def close(self) -> bytes:
        """The whole file, to which nothing can be added any more."""
        self._writer.close()
        return bytes(self._sink.getvalue())


def from_parquet(content: bytes, columns: Sequence[str]) -> pa.Table:
    """Some columns of a file. Raises OSError where a page's checksum disagrees."""
    return pq.read_table(pa.BufferReader(content), columns=list(columns), page_checksum_verification=True)
