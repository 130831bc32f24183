"""Receipts: one for tests that care for a field or two of it, and those of real loads."""

from datetime import UTC, datetime
from typing import Any

from services.contracts.receipt import LOADED, Receipt, receipt_key
from services.runtime.objects.store import ObjectStore
from services.warehouse.domain.loads import Load


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


def put_receipt(store: ObjectStore, load: Load, generation: int = LOADED, **changes: Any) -> str:
    """Keeps the receipt of a load as ingest does; its key. `changes`: what it says instead of the truth."""
    counts = load.counts
    fields = {
        "load_id": load.load_id,
        "dataset": load.dataset,
        "manifest_key": load.manifest_key,
        "manifest_sha256": load.manifest_sha256,
        "sequence": load.sequence,
        "update_sequence": load.update_sequence,
        "new": counts.new,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "late": counts.late,
        "retired": counts.retired,
        "watermark": load.watermark,
        "committed_at": load.committed_at,
    }
    receipt = Receipt.model_validate(fields | changes)
    key = receipt_key(receipt.manifest_key, generation)
    assert store.put_if_absent(key, receipt.to_bytes())
    return key
