"""Files of keys and certificates, followed while they change: what cannot be used leaves the last good one in force.

A change is seen by its place on disk, size and time, through links too, as Kubernetes swaps mounted secrets.
"""

import asyncio
import stat
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog
from prometheus_client import Gauge

from services.runtime.access.keys import AccessFileError

Value = TypeVar("Value")
Signature = tuple[tuple[int, ...] | None, ...]
MAX_FILE_BYTES = 4 * 1024 * 1024
UNUSABLE = Gauge(
    "afin_access_file_unusable",
    "1 while a changed file cannot be used, and the last good one stays in force.",
    ["file"],
    multiprocess_mode="livemax",
)

log = structlog.get_logger(__name__)


class FollowedFiles(Generic[Value]):
    """`value` is what `read` made of the files when they last were good. Raises AccessFileError if they never were."""

    def __init__(self, kind: str, paths: Sequence[Path], read: Callable[[], Value]) -> None:
        self._kind = kind
        self._paths = paths
        self._read = read
        # Before the content: what changes while it is read is seen at the next look.
        self._seen = self._signature()
        self.value = read()
        UNUSABLE.labels(kind).set(0)

    def look(self) -> None:
        """Reads again what has changed."""
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self.value = self._read()
        except Exception as error:  # noqa: BLE001 - whatever one file does, it and the others are looked at again
            UNUSABLE.labels(self._kind).set(1)
            problem = str(error) if isinstance(error, AccessFileError) else type(error).__name__
            log.warning("access file unusable, the last good one stays", file=self._kind, problem=problem)
        else:
            UNUSABLE.labels(self._kind).set(0)
            log.info("access file read again", file=self._kind)

    def _signature(self) -> Signature:
        return tuple(_signature_of(path) for path in self._paths)


async def keep_following(files: Sequence[FollowedFiles[Any]], interval: timedelta) -> None:
    """Looks at all of them again and again, until cancelled."""
    while True:
        await asyncio.sleep(interval.total_seconds())
        for each in files:
            # Not in a thread: all of them may wait for a store, and a key that was taken back must not.
            each.look()


def read_file(path: Path) -> bytes:
    """The content of a small file. Raises AccessFileError that names it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise AccessFileError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise AccessFileError(f"{path}: is larger than {MAX_FILE_BYTES} bytes")
    return content


def warn_of_open_permissions(path: Path, is_secret: bool) -> None:
    """Tells the log of a file that others may change or, where it is a secret, read."""
    mode = stat.S_IMODE(path.stat().st_mode)
    too_open = mode & (0o026 if is_secret else 0o022)
    if too_open:
        log.warning(
            "file is open to others", path=str(path), mode=f"{mode:04o}", wanted="0440 or less" if is_secret else "0644"
        )


def _signature_of(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
