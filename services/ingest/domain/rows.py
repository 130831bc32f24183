"""A row of the source as it was read, and what makes two readings of it the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.ingest.domain.digesting import digest

PAYMENT_FIELDS = (
    "id",
    "company_code",
    "payment_at",
    "status",
    "amount",
    "external_client_id",
    "created_at",
    "updated_at",
)
# Characters of a row. No payment is near it; a longer one is not even looked into.
MAX_ROW = 64 * 1024
# What a kept fingerprint was made by: one of another kind is no use.
FINGERPRINTS = "siphash-2-4"
# Longer than any id that we take.
MAX_GROUP = 1000
COMPANY_FIELDS = ("id", "company_code", "company_name", "category_id", "category_name", "is_top_biller")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """`fields`: the parsed JSON value, whatever it is; `raw`: its text.

    `group`: what the source orders by, its id; several rows may share one. `fingerprint`: equal for equal readings,
    in every process.
    """

    fields: Any
    raw: str
    group: str
    fingerprint: int


def source_row(fields: Any, raw: str, names: Sequence[str]) -> SourceRow:
    """The row with its identity, taken from the fields that we know, so that no other can disturb the paging."""
    if not isinstance(fields, dict):
        fingerprint = _digest_of_text(raw)
        return SourceRow(fields, raw, f"#{fingerprint}", fingerprint)
    fingerprint = _digest_of_text(repr([fields.get(name) for name in names]))
    identity = str(fields.get("id", ""))
    # Groups are remembered for some pages: a giant one may not fill the memory.
    return SourceRow(fields, raw, identity if 0 < len(identity) <= MAX_GROUP else f"#{fingerprint}", fingerprint)


def _digest_of_text(text: str) -> int:
    """Text may hold half of a surrogate pair."""
    return digest(text.encode("utf-8", "surrogatepass"))
