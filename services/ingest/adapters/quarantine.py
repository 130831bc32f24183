"""Refused rows as they lie in the object store: counted by reason, listed, and taken up again."""

from collections import Counter

from services.contracts.lake import Part
from services.ingest.adapters.parquet import from_parquet
from services.ingest.adapters.source_json import NotAPage, parse_rows
from services.ingest.domain.page_rows import PageRows, payments_of
from services.ingest.domain.rows import PAYMENT_FIELDS, SourceRow, source_row
from services.ingest.domain.sifting import RefusedRow
from services.ingest.domain.values import Odd
from services.ingest.workflow.values import QuarantinePosition
from services.runtime.checksums import require_sha256
from services.runtime.objects.store import ObjectStore

# Of raw rows in one answer: gRPC clients refuse messages of more than 4 MiB.
MAX_ANSWER_BYTES = 2 * 1024 * 1024


def count_reasons(store: ObjectStore, parts: tuple[Part, ...]) -> dict[str, int]:
    """How many rows have which reason, most frequent first."""
    counter: Counter[str] = Counter()
    for part in parts:
        counter.update(from_parquet(_content(store, part), ["reason"])["reason"].to_pylist())
    return dict(counter.most_common())


def refused_rows(
    store: ObjectStore, parts: tuple[Part, ...], start: QuarantinePosition, limit: int
) -> tuple[list[RefusedRow], QuarantinePosition | None]:
    """Row by row from `start`, until there are `limit` of them or the answer would grow too large."""
    rows: list[RefusedRow] = []
    size = 0
    for number in range(start.part, len(parts)):
        first = start.row if number == start.part else 0
        table = from_parquet(_content(store, parts[number]), ["reason", "raw"])
        for at, record in enumerate(table.slice(first, limit - len(rows) + 1).to_pylist(), first):
            size += len(record["raw"].encode())
            if len(rows) == limit or (rows and size > MAX_ANSWER_BYTES):
                return rows, QuarantinePosition(number, at)
            rows.append(RefusedRow(record["reason"], record["raw"]))
    return rows, None


def reread(store: ObjectStore, part: Part) -> PageRows:
    """The refused rows of a part as if the source gave them anew."""
    return payments_of([_source_row(raw) for raw in from_parquet(_content(store, part), ["raw"])["raw"].to_pylist()])


def _source_row(raw: str) -> SourceRow:
    try:
        (row,) = parse_rows(f"[{raw}]".encode(), PAYMENT_FIELDS, 1)
    except (NotAPage, ValueError):
        return source_row(Odd.CUT, raw, PAYMENT_FIELDS)
    return row


def _content(store: ObjectStore, part: Part) -> bytes:
    content = store.get(part.key)
    require_sha256(content, part.sha256, part.key)
    return content
