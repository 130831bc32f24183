"""A row of the source as it was read, and what makes two readings of it the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

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
        fingerprint = _digest(raw)
        return SourceRow(fields, raw, f"#{fingerprint}", fingerprint)
    fingerprint = _digest(repr([fields.get(name) for name in names]))
    identity = fields.get("id")
    return SourceRow(fields, raw, f"#{fingerprint}" if identity is None else str(identity), fingerprint)


def _digest(text: str) -> int:
    """64 bits, the same in every process. Text may hold half of a surrogate pair."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
