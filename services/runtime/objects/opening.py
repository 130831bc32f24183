"""From a URL to a store: `s3://bucket/prefix` or `file:///folder`."""

from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlparse

from pydantic import AfterValidator

from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.s3 import S3ObjectStore, s3_client
from services.runtime.objects.store import ObjectStore


def open_object_store(url: str, endpoint_url: str | None = None) -> ObjectStore:
    """The store that `url` names; ValueError when it names none. `endpoint_url`: an S3 server other than AWS."""
    parsed = urlparse(checked_store_url(url))
    if parsed.scheme == "s3":
        return S3ObjectStore(s3_client(endpoint_url), parsed.netloc, unquote(parsed.path))
    return LocalObjectStore(Path(unquote(parsed.path)))


def checked_store_url(url: str) -> str:
    """`url` itself, for settings; ValueError when it names no store."""
    parsed = urlparse(url)
    bucket = parsed.scheme == "s3" and parsed.netloc
    folder = parsed.scheme == "file" and not parsed.netloc and parsed.path.startswith("/")
    if not bucket and not folder:
        raise ValueError("an object store URL must be s3://bucket[/prefix] or file:///absolute/folder")
    return url


# A field of settings that names a store.
StoreUrl = Annotated[str, AfterValidator(checked_store_url)]
