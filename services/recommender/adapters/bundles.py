"""Where snapshots come from: the object store, or this machine's cache when the store is away.

No byte is parsed or mapped before its checksum agrees: the publication vouches for the manifest, that for the files.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from services.contracts.bundle import (
    PUBLISHED_PREFIX,
    IndexManifest,
    Publication,
    manifest_key,
    publication_key,
    version_file_key,
)
from services.recommender.adapters.bundle_cache import BundleCache
from services.recommender.adapters.bundle_opening import check_manifest, open_snapshot
from services.recommender.domain.snapshot import Snapshot
from services.recommender.search import IndexRefused
from services.runtime.checksums import require_sha256
from services.runtime.clock import Clock
from services.runtime.errors import DataLoss, NotFound
from services.runtime.objects.store import ObjectStore

PUBLICATION = re.compile(re.escape(PUBLISHED_PREFIX) + r"(\d{10})\.json")


class PublishedBundles:
    """What the object store offers; bundles are kept in the cache. Fits search.SnapshotSource."""

    def __init__(self, store: ObjectStore, cache: BundleCache, clock: Clock) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock

    def epochs(self) -> list[int]:
        """See SnapshotSource."""
        found = (PUBLICATION.fullmatch(info.key) for info in self._store.list(PUBLISHED_PREFIX))
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def load(self, epoch: int) -> Snapshot:
        """See SnapshotSource."""
        with _refused(f"index epoch {epoch}"):
            publication = self._publication(epoch)
        snapshot = self.load_version(publication)
        self._cache.retain(publication)
        return snapshot

    def load_version(self, publication: Publication) -> Snapshot:
        """See SnapshotSource."""
        with _refused(name_of(publication)), self._cache.loading():
            manifest = self._bring(publication)
            return open_snapshot(self._cache.path(publication.version), publication, manifest, self._clock())

    def _publication(self, epoch: int) -> Publication:
        key = publication_key(epoch)
        publication = Publication.from_bytes(self._store.get(key), key)
        if publication.epoch != epoch:
            raise ValueError(f"{key} says that it is epoch {publication.epoch}")
        return publication

    def _bring(self, publication: Publication) -> IndexManifest:
        """Makes the cache hold the bundle, verified."""
        version = publication.version
        content = self._cache.manifest(version, publication.manifest_sha256)
        if content is None:
            content = self._store.get(manifest_key(version))
        manifest = _checked_manifest(publication, content)
        if self._cache.holds(version, manifest):
            return manifest
        with self._cache.fetching():
            if not self._cache.holds(version, manifest):  # nobody was quicker
                self._check_sizes(version, manifest)
                fetch = partial(self._fetch, version)
                self._cache.install(version, content, manifest.files, fetch)
        return manifest

    def _check_sizes(self, version: str, manifest: IndexManifest) -> None:
        """Before anything is fetched: what is missing or of another size would only fill the disk."""
        prefix = version_file_key(version, "")
        sizes = {info.key.removeprefix(prefix): info.size for info in self._store.list(prefix)}
        for file in manifest.files:
            if sizes.get(file.name) != file.size:
                found = f"has {sizes[file.name]}" if file.name in sizes else "is missing"
                raise ValueError(f"{file.name} must have {file.size} bytes, but {found}")

    def _fetch(self, version: str, name: str, path: Path) -> None:
        self._store.fetch(version_file_key(version, name), path)


class CachedBundles:
    """What this machine remembers of earlier service. Fits search.SnapshotSource."""

    def __init__(self, cache: BundleCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def epochs(self) -> list[int]:
        """See SnapshotSource."""
        return [publication.epoch for publication in self._cache.publications()]

    def load(self, epoch: int) -> Snapshot:
        """See SnapshotSource."""
        publication = next((each for each in self._cache.publications() if each.epoch == epoch), None)
        if publication is None:
            raise IndexRefused(f"cached index epoch {epoch}", "another process has removed it")
        return self.load_version(publication)

    def load_version(self, publication: Publication) -> Snapshot:
        """See SnapshotSource."""
        with _refused(f"cached {name_of(publication)}"), self._cache.loading():
            content = self._cache.manifest(publication.version, publication.manifest_sha256)
            manifest = _checked_manifest(publication, content or b"")
            if not self._cache.holds(publication.version, manifest):
                raise ValueError("its files are not those of its manifest")
            return open_snapshot(self._cache.path(publication.version), publication, manifest, self._clock())


def name_of(publication: Publication) -> str:
    """How logs and errors call an index."""
    return f"index epoch {publication.epoch}, version {publication.version}"


def _checked_manifest(publication: Publication, content: bytes) -> IndexManifest:
    key = manifest_key(publication.version)
    require_sha256(content, publication.manifest_sha256, key)
    manifest = IndexManifest.from_bytes(content, key)
    check_manifest(manifest)
    return manifest


@contextmanager
def _refused(name: str) -> Iterator[None]:
    try:
        yield
    except (NotFound, DataLoss, ValueError) as error:
        raise IndexRefused(name, str(error)) from error
