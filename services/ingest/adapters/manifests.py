"""Manifests in the object store. The one that counts is named by the run's row; until then, the newest one there is.

A leader that was frozen before an erasure may store one of a pass that knew nothing of it: `edition` leaves those out
that tell of other erasures than that, but for catalogues, which are of no client; None takes any.
"""

from collections.abc import Iterable

from services.contracts.lake import LakeManifest, manifest_attempt, run_folder
from services.ingest.adapters.once import put_once
from services.ingest.workflow.values import ManifestReference, Place, StoredManifest
from services.runtime.checksums import require_sha256, sha256_of
from services.runtime.errors import DataLoss
from services.runtime.objects.store import ObjectStore


def find_manifest(store: ObjectStore, place: Place, edition: str | None) -> StoredManifest | None:
    """The manifest of the newest attempt that stored one; None before. DataLoss for bytes that are none."""
    folder = run_folder("raw", place.dataset, place.day, place.run_id)
    return newest_manifest(store, [info.key for info in store.list(f"{folder}/manifest-")], edition)


def newest_manifest(store: ObjectStore, keys: Iterable[str], edition: str | None) -> StoredManifest | None:
    """The newest attempt's manifest among keys of any objects."""
    attempts = [(attempt, key) for key in keys if (attempt := manifest_attempt(key)) is not None]
    newest_first = (read_manifest(store, key) for _, key in sorted(attempts, reverse=True))
    return next((stored for stored in newest_first if _is_of(stored.manifest, edition)), None)


def read_manifest(store: ObjectStore, key: str) -> StoredManifest:
    """A manifest, checked against the checksum that it carries. ObjectNotFound, or DataLoss for bytes that are none."""
    return _parsed(key, store.get(key))


def open_manifest(store: ObjectStore, reference: ManifestReference) -> StoredManifest:
    """The manifest that is meant. ObjectNotFound, or DataLoss when its bytes are others."""
    content = store.get(reference.key)
    require_sha256(content, reference.sha256, reference.key)
    return _parsed(reference.key, content)


def store_manifest(store: ObjectStore, key: str, manifest: LakeManifest) -> StoredManifest:
    """Stores it under a key of this attempt's own."""
    return StoredManifest(key, put_once(store, key, manifest.to_bytes()), manifest)


def _is_of(manifest: LakeManifest, edition: str | None) -> bool:
    return edition is None or manifest.dataset == "companies" or manifest.erasures == edition


def _parsed(key: str, content: bytes) -> StoredManifest:
    try:
        return StoredManifest(key, sha256_of(content), LakeManifest.from_bytes(content))
    except ValueError as error:
        raise DataLoss(
            f"object {key!r} is no whole manifest; restore it, or start a new run", metadata={"key": key}
        ) from error
