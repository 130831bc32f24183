"""The lake in the object store: parts first, the manifest last, everything once. See services.contracts.lake."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from services.contracts.receipt import Receipt
from services.ingest.adapters.lake_writer import ObjectLakeWriter
from services.ingest.adapters.manifests import find_manifest, open_manifest
from services.ingest.adapters.quarantine import count_reasons, refused_rows, reread
from services.ingest.adapters.receipts import keep_receipt
from services.ingest.adapters.sweeping import objects_of, remove_orphans
from services.ingest.domain.page_rows import PageRows
from services.ingest.domain.sifting import RefusedRow
from services.ingest.workflow.ports import LakeWriter
from services.ingest.workflow.values import (
    ManifestReference,
    Place,
    QuarantinePosition,
    StoredManifest,
    StoredParts,
    Swept,
)
from services.runtime.objects.store import ObjectInfo, ObjectStore


class ObjectLake:
    """See services.ingest.workflow.ports.Lake. Whatever blocks runs in threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def check(self) -> None:
        """See Lake."""
        await asyncio.to_thread(self._store.check)

    async def find(self, place: Place, edition: str | None) -> StoredManifest | None:
        """See Lake."""
        return await asyncio.to_thread(find_manifest, self._store, place, edition)

    async def open(self, reference: ManifestReference) -> StoredManifest:
        """See Lake."""
        return await asyncio.to_thread(open_manifest, self._store, reference)

    async def keep_receipt(self, receipt: Receipt) -> None:
        """See Lake."""
        await asyncio.to_thread(keep_receipt, self._store, receipt)

    def writer(self, place: Place, attempt: int, earlier: StoredParts) -> LakeWriter:
        """See Lake."""
        return ObjectLakeWriter(self._store, place, attempt, earlier)

    async def holds(self, place: Place, parts: StoredParts) -> bool:
        """See Lake."""
        return await asyncio.to_thread(_holds, self._store, place, parts)

    async def objects(self, place: Place) -> list[ObjectInfo]:
        """See Lake."""
        return await asyncio.to_thread(objects_of, self._store, place)

    async def remove_orphans(
        self, objects: Sequence[ObjectInfo], saved: ManifestReference | None, edition: str
    ) -> Swept:
        """See Lake."""
        return await asyncio.to_thread(remove_orphans, self._store, objects, saved, edition)

    async def reasons(self, stored: StoredManifest) -> dict[str, int]:
        """See Lake."""
        return await asyncio.to_thread(count_reasons, self._store, stored.manifest.quarantine)

    async def refused_rows(
        self, stored: StoredManifest, start: QuarantinePosition, limit: int
    ) -> tuple[list[RefusedRow], QuarantinePosition | None]:
        """See Lake."""
        return await asyncio.to_thread(refused_rows, self._store, stored.manifest.quarantine, start, limit)

    async def reread(self, stored: StoredManifest) -> AsyncGenerator[PageRows, None]:
        """See Lake."""
        for part in stored.manifest.quarantine:
            yield await asyncio.to_thread(reread, self._store, part)


def _holds(store: ObjectStore, place: Place, parts: StoredParts) -> bool:
    there = {(info.key, info.size) for info in objects_of(store, place)}
    return all((part.key, part.size) in there for part in (*parts.rows, *parts.refused))
