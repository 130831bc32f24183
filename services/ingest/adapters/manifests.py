"""Manifests in the object store: the first attempt to store one decides what the run has read."""

from pydantic import ValidationError

from services.contracts.lake import LakeManifest, manifest_key, run_folder
from services.ingest.workflow.values import Place, StoredManifest
from services.runtime.checksums import sha256_of
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectNotFound, ObjectStore


def find_manifest(store: ObjectStore, place: Place) -> StoredManifest | None:
    """The manifest of a run; None before it was stored. DataLoss for bytes that are none."""
    key = _key(place)
    try:
        content = store.get(key)
    except ObjectNotFound:
        return None
    try:
        return StoredManifest(key, sha256_of(content), LakeManifest.model_validate_json(content))
    except ValidationError as error:
        raise DataLoss(f"object {key!r} is no manifest; restore it", metadata={"key": key}) from error


def store_manifest(store: ObjectStore, place: Place, manifest: LakeManifest) -> StoredManifest:
    """Stores it, or gives the one of another attempt that was first."""
    key, content = _key(place), manifest.to_bytes()
    if store.put_if_absent(key, content):
        return StoredManifest(key, sha256_of(content), manifest)
    found = find_manifest(store, place)
    if found is None:
        raise DataLoss(f"object {key!r} was there and is gone; nothing may delete it", metadata={"key": key})
    return found


def _key(place: Place) -> str:
    return manifest_key(run_folder("raw", place.dataset, place.day, place.run_id))
