"""Objects in a bucket of any S3 server, through boto3. `If-None-Match: *` makes each appear only if absent."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from services.runtime.checksums import sha256_of
from services.runtime.objects.store import ObjectInfo, ObjectNotFound, ObjectStoreUnavailable, checked_key

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

ABSENT_CODES = {"404", "NoSuchKey"}
TAKEN_CODES = {"412", "PreconditionFailed"}
# Two writers of one key at the same moment: the server names neither the winner yet.
CONFLICT_CODES = {"409", "ConditionalRequestConflict"}
CONFLICT_TRIES = 5
CHUNK_BYTES = 1024 * 1024
READ_TRIES = 3
BROKEN_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
Result = TypeVar("Result")


def s3_client(endpoint_url: str | None) -> "S3Client":
    """A client with the standard credential chain. Checksum trailers only where required: other servers store them."""
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=5,
        read_timeout=60,
        # Only with an address of its own can a bucket of a self-hosted server not be a host name.
        s3={"addressing_style": "path" if endpoint_url else "auto"},
    )
    return boto3.client("s3", endpoint_url=endpoint_url, config=config)


class S3ObjectStore:
    """One bucket, and the part of it below `prefix`."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def check(self) -> None:
        """See ObjectStore."""
        with self._errors():
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)

    def put_if_absent(self, key: str, content: bytes | Path) -> bool:
        """See ObjectStore. One PUT: 5 GiB at most."""
        # An earlier try of this call may have been stored though its answer was lost: then it is ours that is there.
        may_be_ours = False
        for _ in range(CONFLICT_TRIES):
            try:
                with self._errors():
                    self._put(key, content)
                    return True
            except _Taken as taken:
                return (may_be_ours or taken.was_retried) and self._holds(key, content)
            except _Conflict:
                may_be_ours = True
        raise ObjectStoreUnavailable(f"writers of object {key!r} collide again and again; try again")

    def get(self, key: str) -> bytes:
        """See ObjectStore."""
        return self._read(key, lambda body: body.read())

    def fetch(self, key: str, destination: Path) -> None:
        """See ObjectStore."""

        def write(body: "StreamingBody") -> None:
            with destination.open("wb") as file:
                file.writelines(body.iter_chunks(CHUNK_BYTES))

        self._read(key, write)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{prefix}"
        )
        with self._errors():
            for page in pages:
                for item in page.get("Contents", []):
                    yield ObjectInfo(item["Key"].removeprefix(self._prefix), item["Size"])

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        with self._errors():
            self._client.delete_object(Bucket=self._bucket, Key=self._full(key))

    def _put(self, key: str, content: bytes | Path) -> None:
        full = self._full(key)
        if isinstance(content, bytes):
            self._client.put_object(Bucket=self._bucket, Key=full, Body=content, IfNoneMatch="*")
            return
        with content.open("rb") as file:
            self._client.put_object(Bucket=self._bucket, Key=full, Body=file, IfNoneMatch="*")

    def _holds(self, key: str, content: bytes | Path) -> bool:
        """Whether the object there has just these bytes."""

        def digest(body: "StreamingBody") -> str:
            stored = hashlib.sha256()
            for chunk in body.iter_chunks(CHUNK_BYTES):
                stored.update(chunk)
            return stored.hexdigest()

        return self._read(key, digest) == sha256_of(content)

    def _read(self, key: str, take: "Callable[[StreamingBody], Result]") -> Result:
        """What `take` makes of the body; anew when it breaks off, for the client repeats requests, never bodies."""
        for last in (*[False] * (READ_TRIES - 1), True):
            with self._errors(key):
                body = self._client.get_object(Bucket=self._bucket, Key=self._full(key))["Body"]
                try:
                    return take(body)
                except BROKEN_OFF:
                    if last:
                        raise
        raise RuntimeError("the last try returns or raises")

    def _full(self, key: str) -> str:
        return f"{self._prefix}{checked_key(key)}"

    @contextmanager
    def _errors(self, key: str = "") -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in TAKEN_CODES:
                raise _Taken(error.response["ResponseMetadata"]["RetryAttempts"] > 0) from error
            if code in CONFLICT_CODES:
                raise _Conflict from error
            if key and code in ABSENT_CODES:
                raise ObjectNotFound(key) from error
            hint = "create it" if code == "NoSuchBucket" else "check its name and our credentials"
            raise ObjectStoreUnavailable(f"bucket {self._bucket!r} refuses ({code}); {hint}") from error
        except BotoCoreError as error:
            message = f"the object store of bucket {self._bucket!r} does not answer ({type(error).__name__})"
            raise ObjectStoreUnavailable(f"{message}; check its address and our credentials") from error


class _Taken(Exception):
    """The key holds an object already. `was_retried`: the request was sent more than once."""

    def __init__(self, was_retried: bool) -> None:
        super().__init__()
        self.was_retried = was_retried


class _Conflict(Exception):
    """Another writer of the key is at work."""
