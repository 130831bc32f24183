"""The ledger of loads and the watermarks, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.domain.loads import Dataset, Load, LoadCounts, LoadRequest

# Columns by name: a migration may add some while this runs, and a prepared statement must keep its shape.
FIND = """
SELECT load_id, dataset, manifest_key, manifest_sha256, source_time, row_count, new_count, changed_count,
    unchanged_count, late_count, retired_count, watermark, committed_at, sequence, update_sequence
FROM warehouse.loads WHERE load_id = :load_id
"""
RECORD = """
INSERT INTO warehouse.loads (load_id, dataset, manifest_key, manifest_sha256, source_time, row_count, new_count,
    changed_count, unchanged_count, late_count, retired_count, watermark, committed_at, sequence)
VALUES (:load_id, :dataset, :manifest_key, :manifest_sha256, :source_time, :row_count, :new_count,
    :changed_count, :unchanged_count, :late_count, :retired_count, :watermark, :committed_at, :sequence)
"""
REPLACE_MANIFEST = """
UPDATE warehouse.loads SET manifest_key = :manifest_key, manifest_sha256 = :manifest_sha256
WHERE load_id = :load_id AND dataset = 'payments'
"""
# Loads wait for each other: nobody else takes the same number.
NEXT_SEQUENCE = "SELECT greatest(max(sequence), max(update_sequence), 0) + 1 FROM warehouse.loads"
RECORD_UPDATE = "UPDATE warehouse.loads SET update_sequence = :sequence WHERE load_id = :load_id"
NEWEST = "SELECT max(source_time) FROM warehouse.loads WHERE dataset = :dataset"
WATERMARKS = "SELECT dataset, value FROM warehouse.watermarks"
ADVANCE = """
INSERT INTO warehouse.watermarks AS w (dataset, value, load_id) VALUES (:dataset, :value, :load_id)
ON CONFLICT (dataset) DO UPDATE SET value = excluded.value, load_id = excluded.load_id WHERE excluded.value > w.value
"""
LATEST_LEADER = "SELECT epoch FROM warehouse.latest_leader"
NOTE_LEADER = "UPDATE warehouse.latest_leader SET epoch = :epoch WHERE epoch < :epoch"


async def latest_leader(connection: AsyncConnection, epoch: int) -> int:
    """The newest epoch of a leader, `epoch` included, which is remembered."""
    await connection.execute(text(NOTE_LEADER), {"epoch": epoch})
    return int((await connection.execute(text(LATEST_LEADER))).scalar_one())


async def find_load(connection: AsyncConnection, load_id: str) -> Load | None:
    """The entry of a committed load."""
    row = (await connection.execute(text(FIND), {"load_id": load_id})).mappings().one_or_none()
    return _load(row) if row else None


async def record_load(connection: AsyncConnection, load: Load) -> None:
    """Enters a load."""
    counts = load.counts
    values: dict[str, Any] = {
        "load_id": load.load_id,
        "dataset": load.dataset,
        "manifest_key": load.manifest_key,
        "manifest_sha256": load.manifest_sha256,
        "source_time": load.source_time,
        "watermark": load.watermark,
        "committed_at": load.committed_at,
        "sequence": load.sequence,
    }
    numbers = {
        "row_count": counts.rows,
        "new_count": counts.new,
        "changed_count": counts.changed,
        "unchanged_count": counts.unchanged,
        "late_count": counts.late,
        "retired_count": counts.retired,
    }
    await connection.execute(text(RECORD), values | numbers)


async def replace_manifest(connection: AsyncConnection, replacement: LoadRequest) -> bool:
    """Has an entry name another manifest; False when there is none of payments with this id."""
    names = {"manifest_key": replacement.manifest_key, "manifest_sha256": replacement.manifest_sha256}
    changed = await connection.execute(text(REPLACE_MANIFEST), {"load_id": replacement.load_id, **names})
    return changed.rowcount == 1


async def next_sequence(connection: AsyncConnection) -> int:
    """The place of what is entered next."""
    return int((await connection.execute(text(NEXT_SEQUENCE))).scalar_one())


async def record_update(connection: AsyncConnection, load_id: str, sequence: int) -> None:
    """Notes at which place RecordCompaniesUpdate followed a load."""
    await connection.execute(text(RECORD_UPDATE), {"load_id": load_id, "sequence": sequence})


async def newest_source_time(connection: AsyncConnection, dataset: Dataset) -> datetime | None:
    """Of the loads of a dataset; None before the first."""
    newest: datetime | None = await connection.scalar(text(NEWEST), {"dataset": dataset})
    return newest


async def watermarks(connection: AsyncConnection) -> dict[Dataset, datetime]:
    """By dataset; those never set are missing."""
    rows = (await connection.execute(text(WATERMARKS))).all()
    return {row.dataset: row.value for row in rows}


async def advance_watermark(connection: AsyncConnection, dataset: Dataset, to: datetime, load_id: str) -> datetime:
    """Moves a watermark forward, never back; where it stands then."""
    await connection.execute(text(ADVANCE), {"dataset": dataset, "value": to, "load_id": load_id})
    return (await watermarks(connection))[dataset]


def _load(row: RowMapping) -> Load:
    counts = LoadCounts(
        new=row["new_count"],
        changed=row["changed_count"],
        unchanged=row["unchanged_count"],
        late=row["late_count"],
        retired=row["retired_count"],
    )
    return Load(
        load_id=row["load_id"],
        dataset=row["dataset"],
        manifest_key=row["manifest_key"],
        manifest_sha256=row["manifest_sha256"],
        source_time=row["source_time"],
        counts=counts,
        watermark=row["watermark"],
        committed_at=row["committed_at"],
        sequence=row["sequence"],
        update_sequence=row["update_sequence"],
    )
