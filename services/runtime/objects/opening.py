"""From a URL to a store: `s3://bucket/prefix` or `file:///folder`."""

from pathlib import Path
from urllib.parse import unquote, urlparse

from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.s3 import S3ObjectStore, s3_client
from services.runtime.objects.store import ObjectStore


def open_object_store(url: str, endpoint_url: str | None = None) -> ObjectStore:
    """The store that `url` names; ValueError when it names none. `endpoint_url`: an S3 server other than AWS."""
    parsed = urlparse(url)
    if parsed.scheme == "s3" and parsed.netloc:
        return S3ObjectStore(s3_client(endpoint_url), parsed.netloc, unquote(parsed.path))
    if parsed.scheme == "file" and not parsed.netloc and parsed.path.startswith("/"):
        return LocalObjectStore(Path(unquote(parsed.path)))
    raise ValueError("an object store URL must be s3://bucket[/prefix] or file:///absolute/folder")
