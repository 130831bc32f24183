"""Erased clients out of the object store: what is left of a run is written anew, then what it replaces is deleted."""

import asyncio

import pyarrow as pa

from services.contracts.lake import REWRITTEN, Part, PaymentsObject, manifest_key, part_key, payments_object, run_folder
from services.contracts.receipt import Receipt, receipt_key
from services.ingest.adapters.erased_rows import count_erased, without_erased
from services.ingest.adapters.manifests import store_manifest
from services.ingest.adapters.once import put_once
from services.ingest.adapters.receipts import read_receipt
from services.ingest.domain.erasure import ErasedClients
from services.ingest.workflow.values import LakeErasure, Place, RunObjects, StoredManifest
from services.runtime.checksums import require_sha256
from services.runtime.errors import DataLoss
from services.runtime.failpoints import Failpoint, passing
from services.runtime.objects.store import ObjectNotFound, ObjectStore


class ObjectLakeEraser:
    """See services.ingest.workflow.erasure_ports. Memory holds one object; whatever blocks runs in threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def runs(self) -> list[RunObjects]:
        """See LakeEraser."""
        return await asyncio.to_thread(_runs, self._store)

    async def receipt(self, run: RunObjects) -> Receipt | None:
        """See LakeEraser."""
        newest = _newest_receipt(run)
        return None if newest is None else await asyncio.to_thread(read_receipt, self._store, newest.key)

    async def rewrite(
        self, run: RunObjects, stored: StoredManifest, erased: ErasedClients, edition: str | None
    ) -> StoredManifest:
        """See LakeEraser."""
        return await asyncio.to_thread(_rewrite, self._store, run, stored, (erased, edition))

    async def renew_receipt(self, run: RunObjects, stored: StoredManifest) -> None:
        """See LakeEraser."""
        await asyncio.to_thread(_renew_receipt, self._store, run, stored)

    async def delete_rest(self, run: RunObjects, stored: StoredManifest | None, erased: ErasedClients) -> LakeErasure:
        """See LakeEraser."""
        return await asyncio.to_thread(_delete_rest, self._store, run, stored, erased)


def _runs(store: ObjectStore) -> list[RunObjects]:
    runs: dict[Place, list[PaymentsObject]] = {}
    for prefix in ("raw/payments/", "quarantine/payments/"):
        for info in store.list(prefix):
            if found := payments_object(info.key):
                runs.setdefault(Place("payments", found.day, found.run_id), []).append(found)
    ordered = sorted(runs, key=lambda place: (place.day, place.run_id))
    return [RunObjects(place, tuple(runs[place])) for place in ordered]


def _rewrite(
    store: ObjectStore, run: RunObjects, stored: StoredManifest, told: tuple[ErasedClients, str | None]
) -> StoredManifest:
    # A number of its own for each repetition: what one that died has left stands under other names.
    attempt = max([REWRITTEN, *(found.number + 1 for found in run.objects if found.kind != "receipt")])
    raw, quarantine = (
        run_folder(area, run.place.dataset, run.place.day, run.place.run_id) for area in ("raw", "quarantine")
    )
    old, (erased, edition) = stored.manifest, told
    parts = _parts_without(store, old.parts, (raw, attempt), erased)
    refused = _parts_without(store, old.quarantine, (quarantine, attempt), erased)
    erasures = old.erasures if edition is None else edition
    manifest = old.model_copy(update={"parts": parts, "quarantine": refused, "erasures": erasures})
    if manifest == old:
        return stored
    passing(Failpoint.BEFORE_MANIFEST)
    rewritten = store_manifest(store, manifest_key(raw, attempt), manifest)
    passing(Failpoint.AFTER_MANIFEST)
    return rewritten


def _parts_without(
    store: ObjectStore, parts: tuple[Part, ...], names: tuple[str, int], erased: ErasedClients
) -> tuple[Part, ...]:
    """Parts that hold no row of the clients stay as they are; of the others what is left, under new names."""
    left = (_part_without(store, part, part_key(*names, number), erased) for number, part in enumerate(parts))
    return tuple(part for part in left if part is not None)


def _part_without(store: ObjectStore, part: Part, key: str, erased: ErasedClients) -> Part | None:
    """None when no row is left."""
    content = store.get(part.key)
    require_sha256(content, part.sha256, part.key)
    try:
        removed = count_erased(content, erased)
        if removed in (0, part.rows):
            return None if removed else part
        left = without_erased(content, erased)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataLoss(f"part {part.key!r} is no sound Parquet file; restore it", metadata={"key": part.key}) from error
    checksum = put_once(store, key, left)
    passing(Failpoint.PART_WRITTEN)
    return Part(key=key, rows=part.rows - removed, size=len(left), sha256=checksum)


def _newest_receipt(run: RunObjects) -> PaymentsObject | None:
    receipts = [found for found in run.objects if found.kind == "receipt"]
    return max(receipts, key=lambda found: found.number, default=None)


def _renew_receipt(store: ObjectStore, run: RunObjects, stored: StoredManifest) -> None:
    newest = _newest_receipt(run)
    if newest is None:
        return
    receipt = read_receipt(store, newest.key)
    if receipt.manifest_sha256 == stored.sha256:
        return
    renewed = receipt.model_copy(update={"manifest_key": stored.key, "manifest_sha256": stored.sha256})
    put_once(store, receipt_key(stored.key, newest.number + 1), renewed.to_bytes())
    passing(Failpoint.RECEIPT_RENEWED)


def _delete_rest(
    store: ObjectStore, run: RunObjects, stored: StoredManifest | None, erased: ErasedClients
) -> LakeErasure:
    done = LakeErasure()
    for found in _not_named(run, stored):
        removed = _count_in_orphan(store, found, erased)
        # No row of it, and nothing came in its place: the sweep will see to it.
        if removed == LakeErasure() and not _replaces(stored):
            continue
        store.delete(found.key)
        passing(Failpoint.OBJECT_DELETED)
        done += removed
    return done


def _not_named(run: RunObjects, stored: StoredManifest | None) -> list[PaymentsObject]:
    """Parts and manifests beside the one that counts; receipts tell figures, and stay."""
    named = set()
    if stored is not None:
        named = {stored.key, *(part.key for part in (*stored.manifest.parts, *stored.manifest.quarantine))}
    return [found for found in run.objects if found.kind != "receipt" and found.key not in named]


def _replaces(stored: StoredManifest | None) -> bool:
    found = None if stored is None else payments_object(stored.key)
    return found is not None and found.number >= REWRITTEN


def _count_in_orphan(store: ObjectStore, found: PaymentsObject, erased: ErasedClients) -> LakeErasure:
    """What an object that nobody names holds of the clients; one that cannot be read is taken to hold something."""
    if found.kind != "part":
        return LakeErasure()
    try:
        rows = count_erased(store.get(found.key), erased)
    except ObjectNotFound:
        # A sweep that began before the erasure.
        return LakeErasure()
    except (pa.ArrowInvalid, OSError):
        return LakeErasure(objects=1)
    if rows == 0:
        return LakeErasure()
    return LakeErasure(1, rows) if found.area == "raw" else LakeErasure(1, 0, rows)
