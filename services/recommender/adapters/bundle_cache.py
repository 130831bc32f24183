"""Index versions on this machine's disk, so that files can be mapped, and a restart needs no object store.

    <folder>/<version>/                a whole bundle with its manifest.json; appears by one rename, is never written to
    <folder>/published-<epoch>.json    a publication that was taken into service
    <folder>/.unfinished-…             what is on its way in
    <folder>/.lock                     shared by those who load, held alone by who removes
    <folder>/.fetching                 held by the one who fetches

Nothing here is trusted: every byte is verified again before it is used. All methods block.
"""

import fcntl
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import ValidationError

from services.contracts.bundle import BundleFile, IndexManifest, Publication
from services.runtime.checksums import require_sha256, sha256_of
from services.runtime.errors import DataLoss, Unavailable

MANIFEST_FILE = "manifest.json"
UNFINISHED = ".unfinished-"
VERSION = re.compile(r"(\d{8}T\d{6}Z|unknown)-[0-9a-f]{12}")

log = structlog.get_logger(__name__)

Fetch = Callable[[str, Path], None]


class CacheUnavailable(Unavailable):
    """The disk fails or is full."""

    reason = "CACHE_UNAVAILABLE"


class BundleCache:
    """Three versions at most: the main one, its challenger, and the main one before. Processes may share a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Nobody removes what is being loaded inside; CacheUnavailable when the disk fails inside."""
        with self._disk_errors():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock(fcntl.LOCK_SH):
                yield

    @contextmanager
    def removing(self) -> Iterator[None]:
        """Nobody loads inside. BlockingIOError when somebody does now, who may be told to clean up himself later."""
        with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """One process at a time is inside, so that of several on one machine one alone fetches what all need."""
        with (self._folder / ".fetching").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def path(self, version: str) -> Path:
        """The folder of a version's bundle, there or not; ValueError for a name that no version has."""
        if not VERSION.fullmatch(version):
            raise ValueError(f"{version!r} is not the name of an index version")
        return self._folder / version

    def manifest(self, version: str, sha256: str) -> bytes | None:
        """The version's manifest, if it is there and has this checksum."""
        path = self.path(version) / MANIFEST_FILE
        return content if path.is_file() and sha256_of(content := path.read_bytes()) == sha256 else None

    def holds(self, version: str, manifest: IndexManifest) -> bool:
        """True when every file of the bundle is there, of the right size and checksum. Reads them all."""
        try:
            for file in manifest.files:
                _require(self.path(version) / file.name, file)
        except (OSError, DataLoss):  # what cannot be read is fetched again
            return False
        return True

    def install(self, version: str, manifest: bytes, files: tuple[BundleFile, ...], fetch: Fetch) -> None:
        """Puts a bundle in, whole or not at all. `fetch(name, path)` writes a file; DataLoss when it is a wrong one.

        A broken copy is removed, never overwritten: somebody may have mapped it.
        """
        unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self._folder))
        try:
            (unfinished / MANIFEST_FILE).write_bytes(manifest)
            for file in files:
                fetch(file.name, unfinished / file.name)
                _require(unfinished / file.name, file)
            if self.path(version).exists():
                shutil.rmtree(self.path(version))
            unfinished.rename(self.path(version))
        except BaseException:
            shutil.rmtree(unfinished)
            raise

    def publications(self) -> list[Publication]:
        """What was taken into service, newest epoch first; a note that cannot be read counts as none."""
        found = (_read_publication(path) for path in self._folder.glob("published-*.json"))
        return sorted((each for each in found if each), key=lambda each: each.epoch, reverse=True)

    def retain(self, publication: Publication) -> None:
        """Notes what is in service now, and removes all but it and its predecessor, unless somebody is loading."""
        with self._disk_errors():
            self._note(publication)
            try:
                with self.removing():
                    self._remove_older(publication)
            except BlockingIOError:
                log.info("cache not cleaned", why="another load is under way; it will clean")

    def _note(self, publication: Publication) -> None:
        with tempfile.NamedTemporaryFile(prefix=UNFINISHED, dir=self._folder, delete=False) as unfinished:
            unfinished.write(publication.to_bytes())
        Path(unfinished.name).rename(self._note_path(publication))

    def _remove_older(self, publication: Publication) -> None:
        earlier = (each for each in self.publications() if each.epoch < publication.epoch)
        predecessor = next((each for each in earlier if each.version != publication.version), publication)
        for noted in self.publications():
            if noted not in (publication, predecessor):
                self._note_path(noted).unlink()
        for path in list(self._folder.iterdir()):  # it may hold other people's files too
            ours = VERSION.fullmatch(path.name) or path.name.startswith(UNFINISHED)
            if ours and path.name not in (*publication.versions, predecessor.version):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, kind)
            yield

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            problem = f"the cache folder {self._folder} fails: {error.strerror or error}; make room, or name another"
            raise CacheUnavailable(problem) from error

    def _note_path(self, publication: Publication) -> Path:
        return self._folder / f"published-{publication.epoch:010d}.json"


def _require(path: Path, file: BundleFile) -> None:
    size = path.stat().st_size
    if size != file.size:
        raise DataLoss(f"{file.name} has {size} bytes, but the manifest says {file.size}")
    require_sha256(path, file.sha256, file.name)


def _read_publication(path: Path) -> Publication | None:
    try:
        return Publication.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
