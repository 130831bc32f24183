"""Writes one attempt at a pass: rows as they come into parts of a bounded size, and at the end the manifest."""

import asyncio

import pyarrow as pa

from services.contracts.lake import (
    COMPANIES_SCHEMA,
    PAYMENTS_SCHEMA,
    LakeManifest,
    Part,
    manifest_key,
    part_key,
    run_folder,
)
from services.ingest.adapters.manifests import store_manifest
from services.ingest.adapters.once import put_once
from services.ingest.adapters.parquet import GrowingFile, refused_batch
from services.ingest.domain.sifting import Sifted
from services.ingest.workflow.values import PassFacts, Place, StoredManifest, StoredParts
from services.runtime.failpoints import Failpoint, passing
from services.runtime.objects.store import ObjectStore
from services.runtime.version import code_version

PART_ROWS = 100_000
# So many at a time are written into the part while the next ones are read.
GROUP_ROWS = 20_000
# Raw rows of a quarantine may be large: memory is bounded by bytes as well.
PART_BYTES = 32 * 1024 * 1024
SCHEMAS = {"payments": PAYMENTS_SCHEMA, "companies": COMPANIES_SCHEMA}


class ObjectLakeWriter:
    """See services.ingest.workflow.ports.LakeWriter. Rows are kept as columns until they make a row group."""

    def __init__(self, store: ObjectStore, place: Place, attempt: int, earlier: StoredParts) -> None:
        self._store = store
        self._place = place
        folder = run_folder("raw", place.dataset, place.day, place.run_id)
        self._manifest_key = manifest_key(folder, attempt)
        self._rows = _Area(store, folder, attempt, earlier.rows)
        refused_folder = run_folder("quarantine", place.dataset, place.day, place.run_id)
        self._refused = _Area(store, refused_folder, attempt, earlier.refused)

    async def write(self, rows: Sifted) -> None:
        """See LakeWriter."""
        self._rows.add(pa.RecordBatch.from_arrays(rows.taken.columns, schema=SCHEMAS[self._place.dataset]))
        if rows.refused:
            self._refused.add(await asyncio.to_thread(refused_batch, rows.refused))
        for area in (self._rows, self._refused):
            if area.is_due:
                await asyncio.to_thread(area.write)

    async def store(self) -> StoredParts:
        """See LakeWriter."""
        return await asyncio.to_thread(self._store_all)

    async def finish(self, facts: PassFacts) -> StoredManifest:
        """See LakeWriter."""
        return await asyncio.to_thread(self._finish, facts)

    def _store_all(self) -> StoredParts:
        return StoredParts(self._rows.store(), self._refused.store())

    def _finish(self, facts: PassFacts) -> StoredManifest:
        stored_parts = self._store_all()
        manifest = LakeManifest(
            dataset=self._place.dataset,
            run_id=self._place.run_id,
            code_version=code_version(),
            since=facts.since,
            source_time=facts.source_time,
            newest_updated_at=facts.newest_updated_at,
            erasures=facts.erasures,
            parts=stored_parts.rows,
            quarantine=stored_parts.refused,
        )
        passing(Failpoint.BEFORE_MANIFEST)
        stored = store_manifest(self._store, self._manifest_key, manifest)
        passing(Failpoint.AFTER_MANIFEST)
        return stored


class _Area:
    """The parts of one folder."""

    def __init__(self, store: ObjectStore, folder: str, attempt: int, earlier: tuple[Part, ...]) -> None:
        self._store = store
        self._folder = folder
        self._attempt = attempt
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._file: GrowingFile | None = None
        self._rows = self._bytes = 0
        self._parts = list(earlier)

    def add(self, batch: pa.RecordBatch) -> None:
        if len(batch):
            self._waiting.append(batch)
            self._waiting_rows += len(batch)
            self._bytes += batch.nbytes

    @property
    def is_due(self) -> bool:
        return self._waiting_rows >= GROUP_ROWS or self._bytes >= PART_BYTES

    def write(self) -> None:
        """Writes what waits, and stores the part if it is full."""
        if self._file is None:
            self._file = GrowingFile(self._waiting[0].schema)
        self._file.add(self._waiting)
        self._rows += self._waiting_rows
        self._waiting, self._waiting_rows = [], 0
        if self._rows >= PART_ROWS or self._bytes >= PART_BYTES:
            self._store_part(self._file)

    def store(self) -> tuple[Part, ...]:
        if self._waiting:
            self.write()
        if self._file is not None:
            self._store_part(self._file)
        return tuple(self._parts)

    def _store_part(self, file: GrowingFile) -> None:
        key = part_key(self._folder, self._attempt, len(self._parts))
        content = file.close()
        checksum = put_once(self._store, key, content)
        passing(Failpoint.PART_WRITTEN)
        self._parts.append(Part(key=key, rows=self._rows, size=len(content), sha256=checksum))
        self._file, self._rows, self._bytes = None, 0, 0
