"""A folder for temporary files that does not outlive its process by more than one start of the next."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.runtime.errors import Unavailable

PREFIX = "afin-indexer-"


@contextmanager
def disk_errors() -> Iterator[None]:
    """What the disk refuses is told as such: elsewhere such an error would be taken for one of the network."""
    try:
        yield
    except OSError as error:
        message = (
            f"the folder for temporary files fails: {error.strerror or error}; make room, or set INDEXER_WORK_FOLDER"
        )
        raise Unavailable(message, reason="WORK_FOLDER_FAILS") from error


@contextmanager
def own_work_folder(parent: Path) -> Iterator[Path]:
    """A new folder below `parent`, removed at the end. What processes that were killed left there is removed first."""
    for left in parent.glob(f"{PREFIX}*"):
        if not _is_of_another_living_process(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / f"{PREFIX}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _is_of_another_living_process(folder: Path) -> bool:
    number = folder.name.removeprefix(PREFIX)
    # In a container every process that ever ran had our number: what is left under it is not ours either.
    if not number.isdecimal() or int(number) == os.getpid():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
