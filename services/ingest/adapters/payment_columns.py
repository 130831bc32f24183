"""The fast way from a page's bytes to columns of payments, without an object a value.

The rules of services.ingest.domain.validation decide what a payment is. Here are only pages whose rows are all good by
those rules, and ordinarily written; of any other page nothing is said, and the rules take it row by row.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from services.contracts.identifiers import MAX_ID_CHARACTERS
from services.contracts.lake import PAYMENTS_SCHEMA
from services.ingest.adapters import payment_page
from services.ingest.domain.page_rows import EPOCH, TOLERANCES, fields_of
from services.ingest.domain.rows import MAX_GROUP, MAX_ROW
from services.ingest.domain.values import FIRST_YEAR, LAST_YEAR, MAX_TEXT

SCHEMA = fields_of(PAYMENTS_SCHEMA)
MICROSECOND = timedelta(microseconds=1)
FIRST, END = ((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND for year in (FIRST_YEAR, LAST_YEAR + 1))

Columns = tuple[pa.RecordBatch, pa.Array, Sequence[str], Sequence[int], Mapping[str, datetime]]


def payment_columns(body: bytes, most: int) -> Columns | None:
    """What PageRows needs of a page but texts: columns, reasons (none), groups, fingerprints, latest moments.

    None: take it row by row.
    """
    limits = payment_page.Limits(
        rows=most,
        row_bytes=MAX_ROW,
        id_characters=MAX_ID_CHARACTERS,
        text_characters=MAX_TEXT,
        group_bytes=MAX_GROUP,
        first=FIRST,
        end=END,
    )
    found = payment_page.columns_of(body, limits)
    if found is None:
        return None
    rows, columns, groups, fingerprints, newest = found
    arrays = [_array(field.type, rows, *column) for field, column in zip(SCHEMA, columns, strict=True)]
    latest = {
        name: EPOCH + timedelta(microseconds=moment)
        for name, moment in zip(TOLERANCES, newest, strict=True)
        if moment is not None
    }
    batch = pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
    return batch, pa.nulls(rows, pa.string()), groups, fingerprints, latest


def _array(kind: pa.DataType, rows: int, nulls: int, *buffers: payment_page.Buffer | None) -> pa.Array:
    kept = [None if buffer is None else pa.py_buffer(buffer) for buffer in buffers]
    return pa.Array.from_buffers(kind, rows, kept, nulls)
