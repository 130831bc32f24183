"""Rows into an object store as ingest lays them down: parts of at most 100,000 rows, the manifest last."""

from datetime import UTC, date, datetime

from bench.load.rows import Payments
from services.contracts.lake import LakeManifest, Part, manifest_key, part_key, run_folder
from services.ingest.adapters.parquet import to_parquet
from services.runtime.checksums import sha256_of
from services.runtime.objects.store import ObjectStore
from services.warehouse.domain.loads import LoadRequest

PART_ROWS = 100_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def put_payments(store: ObjectStore, load_id: str, payments: Payments) -> LoadRequest:
    """Stores the rows; the request that loads them, watermark and all."""
    folder = run_folder("raw", "payments", date(2026, 1, 1), load_id)
    count = len(payments.number)
    parts = tuple(
        _put_part(store, part_key(folder, 1, place), payments, start)
        for place, start in enumerate(range(0, count, PART_ROWS))
    )
    manifest = LakeManifest(
        dataset="payments",
        run_id=load_id,
        code_version="bench",
        since=None,
        source_time=NOW,
        newest_updated_at=NOW,
        parts=parts,
        quarantine=(),
    )
    key, content = manifest_key(folder, 1), manifest.to_bytes()
    store.put_if_absent(key, content)
    return LoadRequest(load_id, key, sha256_of(content), NOW)


def _put_part(store: ObjectStore, key: str, payments: Payments, start: int) -> Part:
    rows = Payments(payments.number[start : start + PART_ROWS], payments.age[start : start + PART_ROWS])
    content = to_parquet(rows.table(first_position=start).to_batches())
    store.put_if_absent(key, content)
    return Part(key=key, rows=len(rows.number), size=len(content), sha256=sha256_of(content))
