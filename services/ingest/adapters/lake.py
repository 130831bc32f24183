"""The lake in the object store: parts first, the manifest last, everything once. See services.contracts.lake."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from services.contracts.lake import Part
from services.contracts.receipt import Receipt
from services.ingest.adapters.lake_writer import ObjectLakeWriter
from services.ingest.adapters.manifests import find_manifest, open_manifest
from services.ingest.adapters.parquet import from_parquet
from services.ingest.adapters.receipts import keep_receipt
from services.ingest.adapters.sweeping import objects_of, remove_orphans
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
from services.runtime.checksums import require_sha256
from services.runtime.objects.store import ObjectInfo, ObjectStore

# Of raw rows in one answer: gRPC clients refuse messages of more than 4 MiB.
MAX_ANSWER_BYTES = 2 * 1024 * 1024


class ObjectLake:
    """See services.ingest.workflow.ports.Lake. Whatever blocks runs in threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def check(self) -> None:
        """See Lake."""
        await asyncio.to_thread(self._store.check)

    async def find(self, place: Place) -> StoredManifest | None:
        """See Lake."""
        return await asyncio.to_thread(find_manifest, self._store, place)

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

    async def remove_orphans(self, objects: Sequence[ObjectInfo], saved: ManifestReference | None) -> Swept:
        """See Lake."""
        return await asyncio.to_thread(remove_orphans, self._store, objects, saved)

    async def reasons(self, stored: StoredManifest) -> dict[str, int]:
        """See Lake."""
        return await asyncio.to_thread(_count_reasons, self._store, stored.manifest.quarantine)

    async def refused_rows(
        self, stored: StoredManifest, start: QuarantinePosition, limit: int
    ) -> tuple[list[RefusedRow], QuarantinePosition | None]:
        """See Lake."""
        return await asyncio.to_thread(_refused_rows, self._store, stored.manifest.quarantine, start, limit)


def _holds(store: ObjectStore, place: Place, parts: StoredParts) -> bool:
    there = {(info.key, info.size) for info in objects_of(store, place)}
    return all((part.key, part.size) in there for part in (*parts.rows, *parts.refused))


def _count_reasons(store: ObjectStore, parts: tuple[Part, ...]) -> dict[str, int]:
    counter: Counter[str] = Counter()
    for part in parts:
        counter.update(from_parquet(_content(store, part), ["reason"])["reason"].to_pylist())
    return dict(counter.most_common())


def _refused_rows(
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


def _content(store: ObjectStore, part: Part) -> bytes:
    content = store.get(part.key)
    require_sha256(content, part.sha256, part.key)
    return content
