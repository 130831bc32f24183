"""A receipt for tests that care for a field or two of it."""

from datetime import UTC, datetime
from typing import Any

from services.contracts.receipt import Receipt


def a_receipt(**changes: Any) -> Receipt:
    """Of a load of no rows, the first of all."""
    fields = {
        "load_id": "run-1",
        "dataset": "payments",
        "manifest_key": "raw/payments/updated_date=2026-03-07/run=run-1/manifest-01.json",
        "manifest_sha256": "0" * 64,
        "sequence": 1,
        **dict.fromkeys(("new", "changed", "unchanged", "late", "retired"), 0),
        "watermark": None,
        "committed_at": datetime(2026, 3, 10, tzinfo=UTC),
    }
    return Receipt.model_validate(fields | changes)
