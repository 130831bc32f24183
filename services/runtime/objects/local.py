"""Objects as files below a folder, for one machine. A link makes each appear whole, and only if absent."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from services.runtime.objects.store import ObjectInfo, ObjectNotFound, ObjectStoreUnavailable, checked_key

UNFINISHED = ".unfinished"


class LocalObjectStore:
    """`link(2)` fails when the name is taken and shows the file whole when it is not: put-if-absent without a lock."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._is_swept = False

    def check(self) -> None:
        """See ObjectStore."""
        if not self._root.is_dir() or not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
            raise ObjectStoreUnavailable(
                f"the object store's folder {self._root} is missing or not writable; create it"
            )

    def put_if_absent(self, key: str, content: bytes | Path) -> bool:
        """See ObjectStore."""
        target = self._path(key)
        self.check()
        with _io_errors():
            if target.exists():
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._unfinished(content) as unfinished:
                try:
                    os.link(unfinished, target)
                except FileExistsError:
                    return False
            _sync_folder(target.parent)
            return True

    def get(self, key: str) -> bytes:
        """See ObjectStore."""
        with _io_errors():
            try:
                return self._path(key).read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                self.check()
                raise ObjectNotFound(key) from error

    def fetch(self, key: str, destination: Path) -> None:
        """See ObjectStore."""
        source = self._path(key)
        with _io_errors():
            if not source.is_file():
                self.check()
                raise ObjectNotFound(key)
            shutil.copyfile(source, destination)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        self.check()
        base = self._root / prefix.rpartition("/")[0]
        with _io_errors():
            infos = [info for path in base.rglob("*") if (info := self._info(path))]
        unfinished = f"{UNFINISHED}/"
        found = (info for info in infos if info.key.startswith(prefix) and not info.key.startswith(unfinished))
        yield from sorted(found, key=lambda info: info.key)

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        target = self._path(key)
        self.check()
        with _io_errors():
            target.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _info(self, path: Path) -> ObjectInfo | None:
        """None for a folder, and for a file that was removed while it was listed."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        key = path.relative_to(self._root).as_posix()
        return ObjectInfo(key, status.st_size) if stat.S_ISREG(status.st_mode) else None

    @contextmanager
    def _unfinished(self, content: bytes | Path) -> Iterator[Path]:
        """A file with this content, removed at the end; what dead processes left is removed first, once."""
        folder = self._root / UNFINISHED
        folder.mkdir(exist_ok=True)
        if not self._is_swept:
            _sweep(folder)
            self._is_swept = True
        number, path = _locked_file(folder)
        try:
            with os.fdopen(number, "wb") as file:
                _write_through(content, file)
                yield path
        finally:
            path.unlink(missing_ok=True)  # who sweeps may have come between the end of the lock and here


def _locked_file(folder: Path) -> tuple[int, Path]:
    """A new file, locked for as long as it is open: so others tell it from what a dead process left."""
    while True:
        number, name = tempfile.mkstemp(dir=folder)
        fcntl.flock(number, fcntl.LOCK_EX)
        if os.fstat(number).st_nlink:
            return number, Path(name)
        os.close(number)  # swept before it was locked


def _sweep(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _write_through(content: bytes | Path, file: BinaryIO) -> None:
    if isinstance(content, bytes):
        file.write(content)
    else:
        with content.open("rb") as source:
            shutil.copyfileobj(source, file, 1024 * 1024)
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _io_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ObjectStoreUnavailable(f"the object store's folder fails: {error.strerror}") from error
