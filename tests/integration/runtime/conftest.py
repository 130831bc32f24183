"""A real S3 server over HTTP, and the stores that must all keep one contract."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from services.runtime.objects.local import LocalObjectStore
from services.runtime.objects.s3 import S3ObjectStore, s3_client
from services.runtime.objects.store import ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """http://host:port of an S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any will do for the server; the standard chain finds them where a deployment puts them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def client(s3_endpoint: str, s3_credentials: None) -> "S3Client":
    """As services make it."""
    return s3_client(s3_endpoint)


@pytest.fixture
def bucket(client: "S3Client") -> str:
    """The name of a new bucket."""
    name = f"test-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["folder", "bucket", "part of a bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each kind of store in turn, empty."""
    if request.param == "folder":
        (tmp_path / "objects").mkdir()
        return LocalObjectStore(tmp_path / "objects")
    prefix = "some/part" if request.param == "part of a bucket" else ""
    return S3ObjectStore(request.getfixturevalue("client"), request.getfixturevalue("bucket"), prefix)


@pytest.fixture(params=["folder", "bucket"])
def missing_store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """A store whose folder or bucket does not exist."""
    if request.param == "folder":
        return LocalObjectStore(tmp_path / "nowhere")
    return S3ObjectStore(request.getfixturevalue("client"), "no-such-bucket")
