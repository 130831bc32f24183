"""Fresh histories from the object store, by way of this machine's disk: mapped, and there when the store is away.

    <cache folder>/fresh/<version>/<number>     as services.contracts.fresh; appears by one rename, is never written to

No byte is used before its checksum agrees. All methods block.
"""

import mmap
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from services.contracts.fresh import KEY, fresh_key, fresh_of, fresh_prefix, require_fits
from services.recommender.adapters.bundle_cache import VERSION, BundleCache
from services.recommender.domain.overlay import Overlay
from services.recommender.domain.snapshot import Snapshot
from services.recommender.metrics import FRESH_REFUSED
from services.runtime.clock import Clock
from services.runtime.objects.store import ObjectNotFound, ObjectStore

# A damaged object is not asked for again within this time: the next one makes up for it.
REST = timedelta(minutes=1)

log = structlog.get_logger(__name__)


class FreshOverlays:
    """Fits overlays.OverlaySource. Used by one thread at a time."""

    def __init__(self, store: ObjectStore, cache: BundleCache, clock: Clock) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock
        self._refused: dict[str, datetime] = {}

    def published(self, snapshot: Snapshot) -> Overlay:
        """See OverlaySource."""
        version = snapshot.publication.version
        found = (KEY.fullmatch(info.key) for info in self._store.list(fresh_prefix(version)))
        number = max((int(match[2]) for match in found if match), default=0)
        if number <= snapshot.fresh.number:
            return snapshot.fresh
        with self._cache.loading():
            overlay = None if self._rests(fresh_key(version, number)) else self._brought(snapshot, number)
            if overlay is None:
                return self._kept(snapshot)
        self._clean(version, number)
        return overlay

    def cached(self, snapshot: Snapshot) -> Overlay:
        """See OverlaySource."""
        with self._cache.loading():
            return self._kept(snapshot)

    def _kept(self, snapshot: Snapshot) -> Overlay:
        folder = self._folder(snapshot.publication.version)
        numbers = _numbers(folder.iterdir()) if folder.is_dir() else []
        newer = (number for number in sorted(numbers, reverse=True) if number > snapshot.fresh.number)
        opened = (self._opened(folder / _name(number), snapshot) for number in newer)
        return next((overlay for overlay in opened if overlay), snapshot.fresh)

    def _brought(self, snapshot: Snapshot, number: int) -> Overlay | None:
        """None when it is damaged, or gone again: then a newer one follows."""
        version = snapshot.publication.version
        folder, key = self._folder(version), fresh_key(version, number)
        folder.mkdir(parents=True, exist_ok=True)
        overlay = self._opened(folder / _name(number), snapshot) if (folder / _name(number)).exists() else None
        if overlay:
            return overlay
        with _unfinished(folder) as path:
            try:
                self._store.fetch(key, path)
            except ObjectNotFound:
                return None
            overlay = self._opened(path, snapshot)
            if overlay is None:
                self._refused = {**self._refused, key: self._clock() + REST}
            else:
                path.rename(folder / _name(number))  # it stays mapped
        return overlay

    def _opened(self, path: Path, snapshot: Snapshot) -> Overlay | None:
        version = snapshot.publication.version
        try:
            with path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            fresh = fresh_of(content, "the object of fresh histories")
            require_fits(fresh, version, snapshot.manifest.companies, "the object of fresh histories")
        except ValueError as error:
            FRESH_REFUSED.inc()
            log.warning("fresh histories refused", version=version, problem=str(error))
            return None
        return Overlay.of(fresh)

    def _clean(self, version: str, number: int) -> None:
        """Not while anybody loads, here or in another process: the next object's turn is as good."""
        try:
            with self._cache.removing():
                self._remove_older(version, number)
        except BlockingIOError:
            log.info("fresh histories not cleaned", why="a load is under way")
        except OSError as error:
            log.warning("fresh histories not cleaned", why=error.strerror)

    def _remove_older(self, version: str, number: int) -> None:
        """What is mapped stays with who mapped it."""
        folder = self._folder(version)
        for older in _numbers(folder.iterdir()):
            if older < number:
                (folder / _name(older)).unlink(missing_ok=True)
        for other in folder.parent.iterdir():
            if VERSION.fullmatch(other.name) and not self._cache.path(other.name).exists():
                shutil.rmtree(other, ignore_errors=True)

    def _rests(self, key: str) -> bool:
        self._refused = {refused: until for refused, until in self._refused.items() if self._clock() < until}
        return key in self._refused

    def _folder(self, version: str) -> Path:
        return self._cache.path(version).parent / "fresh" / version


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """Where a file can be written that is not there yet; what is left of it is removed."""
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as name:
        yield Path(name) / "object"


def _numbers(paths: Iterable[Path]) -> list[int]:
    return [int(path.name) for path in paths if path.name.isdecimal()]


def _name(number: int) -> str:
    return f"{number:016d}"
