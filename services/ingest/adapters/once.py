"""Writing an object that is ours alone."""

from services.runtime.checksums import sha256_of
from services.runtime.errors import AlreadyExists
from services.runtime.objects.store import ObjectStore


def put_once(store: ObjectStore, key: str, content: bytes) -> str:
    """Stores the object, and gives its SHA-256. AlreadyExists when the key holds anything else.

    The same content under the same key is our own write, whose answer was lost or whose step is repeated.
    """
    checksum = sha256_of(content)
    if not store.put_if_absent(key, content) and sha256_of(store.get(key)) != checksum:
        raise AlreadyExists(f"object {key!r} is taken by other content; start a new run", metadata={"key": key})
    return checksum
