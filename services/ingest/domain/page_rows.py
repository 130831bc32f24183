"""A page of the source as columns: one entry a row, good or bad, in the order of the source."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.contracts.lake import COMPANIES_SCHEMA, PAYMENTS_SCHEMA, TIMESTAMP
from services.ingest.domain.digesting import digest
from services.ingest.domain.paging import PageIdentity
from services.ingest.domain.rows import SourceRow
from services.ingest.domain.validation import company_row, payment_row, updated_at
from services.ingest.domain.values import Refused

# The header `Date` counts whole seconds.
CLOCK_RESOLUTION = timedelta(seconds=1)
UPDATED_AT = "updated_at"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How far a moment may lie beyond the source's clock. Where a payment was made another day may have begun.
TOLERANCES = {"payment_at": timedelta(days=1), UPDATED_AT: CLOCK_RESOLUTION}


@dataclass(frozen=True, slots=True)
class PageRows:
    """What the rules made of a page's rows, whatever the clock says.

    `columns`: the fields of the lake but for `position`, null where a row is refused (all but its `updated_at`, where
    that could be read); `reasons`: null for good rows; `groups`, `fingerprints`: see PageIdentity; `latest`: the newest
    moment of each field that is held against the source's clock; `texts`: gives the rows as the source wrote them, and
    is called only where one is refused.
    """

    columns: pa.RecordBatch
    reasons: pa.Array
    groups: Sequence[str]
    fingerprints: Sequence[int]
    latest: Mapping[str, datetime]
    texts: Callable[[], Sequence[str]]

    def __len__(self) -> int:
        """Rows of the page."""
        return len(self.groups)

    def identity(self, start: datetime) -> PageIdentity:
        """What tells the rows apart, in a pass that began at `start` by the source's clock."""
        end = start + CLOCK_RESOLUTION
        if not self.reaches_beyond(end, UPDATED_AT):
            return PageIdentity(self.groups, self.fingerprints, [True] * len(self))
        late = pc.greater(self.columns[UPDATED_AT], pa.scalar(end, TIMESTAMP))
        return PageIdentity(self.groups, self.fingerprints, pc.invert(late).fill_null(fill_value=True).to_pylist())

    def reaches_beyond(self, end: datetime, name: str) -> bool:
        """Whether any row's moment of that name is later."""
        return name in self.latest and self.latest[name] > end


def payments_of(rows: Iterable[SourceRow]) -> PageRows:
    """Payments, row by row, by the rules that decide what a payment is."""
    return _page_rows(rows, payment_row, fields_of(PAYMENTS_SCHEMA))


def companies_of(rows: Iterable[SourceRow]) -> PageRows:
    """Companies, likewise."""
    return _page_rows(rows, company_row, fields_of(COMPANIES_SCHEMA))


def fields_of(schema: pa.Schema) -> pa.Schema:
    """Of a dataset of the lake, what the source gives."""
    return pa.schema([field.with_nullable(nullable=True) for field in schema if field.name != "position"])


def latest_of(columns: pa.RecordBatch) -> dict[str, datetime]:
    """See PageRows."""
    newest = {name: newest_of(columns[name]) for name in TOLERANCES if name in columns.schema.names}
    return {name: moment for name, moment in newest.items() if moment is not None}


def newest_of(moments: pa.Array) -> datetime | None:
    """The last of them; None without any."""
    microseconds = pc.max(moments).value  # a time zone is not looked up, as it is for a value of Python's
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def fingerprints_of(columns: pa.RecordBatch) -> list[int]:
    """Of good rows: equal for equal fields. No text holds the character that is put between them."""
    joined = pc.binary_join_element_wise(
        *(_content(column) for column in columns.columns), b"\x1f", null_handling="replace", null_replacement=b""
    )
    return list(map(digest, joined.to_pylist()))


def _content(column: pa.Array) -> pa.Array:
    """Bytes that are equal for equal values; of moments and amounts those that they are made of."""
    if pa.types.is_string(column.type):
        return column.view(pa.binary())
    if pa.types.is_timestamp(column.type) or pa.types.is_decimal(column.type):
        return pc.cast(column.view(pa.binary(column.type.byte_width)), pa.binary())
    return pc.cast(pc.cast(column, pa.string()), pa.binary())


def _page_rows(rows: Iterable[SourceRow], take: Callable[[Any], tuple[Any, ...]], schema: pa.Schema) -> PageRows:
    judged = [_judged(row, take, schema.names) for row in rows]
    columns = _columns([row.fields for row in judged], schema)
    found = zip(judged, fingerprints_of(columns), strict=True)
    raws = [row.raw for row in judged]
    return PageRows(
        columns=columns,
        reasons=pa.array([row.reason for row in judged], pa.string()),
        groups=[row.group for row in judged],
        fingerprints=[fingerprint if row.reason is None else row.fingerprint for row, fingerprint in found],
        latest=latest_of(columns),
        texts=lambda: raws,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row without its JSON, which may be large."""

    fields: tuple[Any, ...]
    reason: str | None
    raw: str
    group: str
    fingerprint: int


def _judged(row: SourceRow, take: Callable[[Any], tuple[Any, ...]], names: Sequence[str]) -> _Judged:
    reason: str | None = None
    try:
        fields = take(row.fields)
    except Refused as refusal:
        fields, reason = tuple(updated_at(row) if name == UPDATED_AT else None for name in names), refusal.reason
    return _Judged(fields, reason, row.raw, row.group, row.fingerprint)


def _columns(rows: Iterable[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [() for _ in schema]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
