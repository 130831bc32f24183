"""The two kinds of object store that publishers race on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import boto3

from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.s3 import S3ObjectStore
from services.runtime.objects.store import ObjectStore
from tests.crash.objects import BUCKET, CREDENTIALS, faulty_store

KINDS = ("folder", "s3")
Opened = tuple[ObjectStore, tuple[str, ...]]


def on_s3(url: str) -> ObjectStore:
    """The bucket of tests on the S3 server at `url`."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    return S3ObjectStore(client, BUCKET)


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Opened]:
    """An empty store, and the address by which other processes find it."""
    if kind == "folder":
        yield LocalObjectStore(folder), (folder.as_uri(),)
        return
    async with faulty_store() as server:
        yield on_s3(server.url), (f"s3://{BUCKET}", server.url)
