"""The port: immutable objects, written once. Every method blocks; call it off the event loop."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.runtime.errors import NotFound, Unavailable

MAX_KEY_BYTES = 1024


class ObjectNotFound(NotFound):
    """No object has this key."""

    reason = "OBJECT_NOT_FOUND"

    def __init__(self, key: str) -> None:
        super().__init__(f"no object {key!r} in the object store", metadata={"key": key})


class ObjectStoreUnavailable(Unavailable):
    """The store does not answer, or refuses us."""

    reason = "OBJECT_STORE_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a listing shows it; `size` in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """Keys are relative paths with `/`. All methods raise ObjectStoreUnavailable when the store fails."""

    def check(self) -> None:
        """Raises ObjectStoreUnavailable, saying what to do, unless the bucket exists and can be listed."""

    def put_if_absent(self, key: str, content: bytes | Path) -> bool:
        """Stores bytes or a file, whole or not at all. False, changing nothing, when the key is taken."""

    def get(self, key: str) -> bytes:
        """All bytes of a small object; ObjectNotFound when there is none."""

    def fetch(self, key: str, destination: Path) -> None:
        """Writes the object to a new local file, streaming; ObjectNotFound when there is none."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key begins with `prefix`, in order of their keys."""

    def delete(self, key: str) -> None:
        """Removes an object; one that is not there is no error."""


def checked_key(key: str) -> str:
    """`key` itself; ValueError when it could leave the bucket or be read in two ways."""
    parts = key.split("/")
    if not key or len(key.encode()) > MAX_KEY_BYTES or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"not an object key: {key!r}")
    return key
