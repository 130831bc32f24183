"""Columns to Parquet and back, with page checksums written and verified: a flipped bit is an error, not other data."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from services.ingest.domain.validation import RefusedRow

MAX_RAW_BYTES = 64 * 1024


def batch_of(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows, whose fields are in the schema's order, as columns."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def refused_values(row: RefusedRow) -> tuple[str, str]:
    """Reason and raw text, cut where a row is larger than any payment could be."""
    return row.reason, row.raw.encode("utf-8", "replace")[:MAX_RAW_BYTES].decode("utf-8", "ignore")


def to_parquet(batches: Sequence[pa.RecordBatch]) -> bytes:
    """One zstd-compressed file of one or more batches."""
    sink = pa.BufferOutputStream()
    table = pa.Table.from_batches(batches)
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())


def from_parquet(content: bytes, columns: Sequence[str]) -> pa.Table:
    """Some columns of a file. Raises OSError where a page's checksum disagrees."""
    return pq.read_table(pa.BufferReader(content), columns=list(columns), page_checksum_verification=True)
