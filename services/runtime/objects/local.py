"""Objects as files below a folder, for one machine. A link makes each appear whole, and only if absent."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from services.runtime.objects.store import ObjectInfo, ObjectNotFound, ObjectStoreUnavailable, checked_key

UNFINISHED = ".unfinished"


class LocalObjectStore:
    """`link(2)` fails when the name is taken and shows the file whole when it is not: put-if-absent without a lock."""

    def __init__(self, root: Path) -> None:
        self._root = root

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
            unfinished = self._write_unfinished(content)
            try:
                os.link(unfinished, target)
            except FileExistsError:
                return False
            finally:
                unfinished.unlink()
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

    def _write_unfinished(self, content: bytes | Path) -> Path:
        folder = self._root / UNFINISHED
        folder.mkdir(exist_ok=True)
        number, name = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(number, "wb") as file:
                _write_through(content, file)
        except BaseException:
            Path(name).unlink()
            raise
        return Path(name)


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
