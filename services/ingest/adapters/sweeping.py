"""What a run left in the object store beside what its manifest names."""

from collections.abc import Iterable, Sequence

from services.contracts.lake import is_attempts_object, run_folder
from services.contracts.receipt import Receipt, receipt_place
from services.ingest.adapters.manifests import newest_manifest, read_manifest
from services.ingest.adapters.receipts import read_receipt
from services.ingest.workflow.values import ManifestReference, Place, Swept
from services.runtime.objects.store import ObjectInfo, ObjectStore


def objects_of(store: ObjectStore, place: Place) -> list[ObjectInfo]:
    """All objects of a run."""
    folders = [run_folder(area, place.dataset, place.day, place.run_id) for area in ("raw", "quarantine")]
    return [info for folder in folders for info in store.list(f"{folder}/")]


def remove_orphans(
    store: ObjectStore, objects: Sequence[ObjectInfo], saved: ManifestReference | None, edition: str
) -> Swept:
    """Deletes parts and manifests that none of the manifests in force names; whatever else there is stays.

    ObjectNotFound or DataLoss, having deleted nothing, when one of these is gone or damaged: who knows what it named.
    """
    kept: set[str] = set()
    for key in _in_force(store, [info.key for info in objects], saved, edition):
        manifest = read_manifest(store, key).manifest
        kept |= {key, *(part.key for part in (*manifest.parts, *manifest.quarantine))}
    orphans = [info for info in objects if is_attempts_object(info.key) and info.key not in kept]
    for info in orphans:
        store.delete(info.key)
    return Swept(len(orphans), sum(info.size for info in orphans))


def _in_force(store: ObjectStore, keys: Sequence[str], saved: ManifestReference | None, edition: str) -> set[str]:
    """What the newest receipt names, and the run's row; without either what a next attempt would take over."""
    receipt = _newest_receipt(store, keys)
    named = set() if receipt is None else {receipt.manifest_key}
    # An erasure puts another manifest in the place of the one that the row names.
    if saved and (receipt is None or saved.key in keys):
        named.add(saved.key)
    if named:
        return named
    newest = newest_manifest(store, keys, edition)
    return set() if newest is None else {newest.key}


def _newest_receipt(store: ObjectStore, keys: Iterable[str]) -> Receipt | None:
    generations = [(place[1], key) for key in keys if (place := receipt_place(key))]
    return read_receipt(store, max(generations)[1]) if generations else None
