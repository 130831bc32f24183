"""What S3 alone must do: parts of one bucket, long listings, and servers that fail in the middle."""

import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from services.runtime.objects.opening import open_object_store
from services.runtime.objects.s3 import S3ObjectStore, s3_client
from services.runtime.objects.store import ObjectNotFound, ObjectStoreUnavailable
from tests.integration.runtime.forgetful_proxy import forgetful_proxy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# One more than a page of a listing holds.
MANY = 1001


def test_a_url_of_a_bucket_opens_it(s3_endpoint: str, bucket: str) -> None:
    store = open_object_store(f"s3://{bucket}/some/part/", s3_endpoint)

    store.put_if_absent("key", b"content")

    assert open_object_store(f"s3://{bucket}", s3_endpoint).get("some/part/key") == b"content"


def test_two_parts_of_a_bucket_do_not_see_one_another(client: "S3Client", bucket: str) -> None:
    one, other = S3ObjectStore(client, bucket, "part"), S3ObjectStore(client, bucket, "part-2")
    one.put_if_absent("key", b"one")

    assert other.put_if_absent("key", b"other")
    assert [info.key for info in one.list("")] == ["key"]
    assert one.get("key") == b"one"


def test_a_listing_longer_than_a_page_is_whole_and_in_order(client: "S3Client", bucket: str) -> None:
    store = S3ObjectStore(client, bucket)
    keys = [f"many/{number:05d}" for number in range(MANY)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda key: store.put_if_absent(key, b""), keys))

    assert [info.key for info in store.list("many/")] == keys


def test_no_checksum_of_ours_is_added_to_the_bytes(client: "S3Client", bucket: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    store = S3ObjectStore(client, bucket)
    store.put_if_absent("file", tmp_path / "file")

    stored = client.get_object(Bucket=bucket, Key="file")

    assert stored["ContentLength"] == len(b"from a file")
    assert "aws-chunked" not in stored.get("ContentEncoding", "")


def test_a_server_that_is_not_there_is_told_with_what_to_check() -> None:
    store = S3ObjectStore(impatient_client("http://127.0.0.1:1"), "bucket")

    with pytest.raises(ObjectStoreUnavailable, match=r"'bucket' does not answer .* check its address"):
        store.check()


@pytest.mark.parametrize("method", ["get", "fetch"])
def test_a_body_that_is_cut_is_an_outage_and_no_object(method: str, tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the beginning"
    with server_that_answers(answer) as endpoint:
        store = S3ObjectStore(impatient_client(endpoint), "bucket")

        with pytest.raises(ObjectStoreUnavailable):
            store.get("key") if method == "get" else store.fetch("key", tmp_path / "fetched")


@pytest.mark.parametrize("method", ["get", "fetch"])
def test_a_body_that_breaks_off_once_is_read_again(method: str, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    with server_that_answers(head + b"who", head + b"whole") as endpoint:
        store = S3ObjectStore(impatient_client(endpoint), "bucket")
        if method == "fetch":
            store.fetch("key", tmp_path / "fetched")

        content = store.get("key") if method == "get" else (tmp_path / "fetched").read_bytes()

    assert content == b"whole"


@pytest.mark.parametrize(
    ("status", "code"), [("403 Forbidden", "AccessDenied"), ("503 Slow Down", "SlowDown"), ("404 Not", "NoSuchBucket")]
)
def test_a_refusal_is_an_outage_that_names_its_code(status: str, code: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    answer = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with server_that_answers(answer.encode()) as endpoint:
        store = S3ObjectStore(impatient_client(endpoint), "bucket")

        with pytest.raises(ObjectStoreUnavailable, match=rf"refuses \({code}\)") as caught:
            store.get("key")

    assert not isinstance(caught.value, ObjectNotFound)


def test_writers_that_collide_again_and_again_are_told_to_try_again() -> None:
    body = "<Error><Code>ConditionalRequestConflict</Code><Message>no</Message></Error>"
    answer = f"HTTP/1.1 409 Conflict\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with server_that_answers(answer.encode()) as endpoint:
        store = S3ObjectStore(impatient_client(endpoint), "bucket")

        with pytest.raises(ObjectStoreUnavailable, match="collide"):
            store.put_if_absent("key", b"x")


@pytest.mark.parametrize("from_file", [False, True])
def test_a_write_whose_answer_was_lost_counts_as_written(
    s3_endpoint: str, client: "S3Client", bucket: str, tmp_path: Path, *, from_file: bool
) -> None:
    (tmp_path / "file").write_bytes(b"ours")
    with forgetful_proxy(s3_endpoint, "PUT") as endpoint:
        store = S3ObjectStore(s3_client(endpoint), bucket)

        assert store.put_if_absent("key", tmp_path / "file" if from_file else b"ours")

    assert S3ObjectStore(client, bucket).get("key") == b"ours"
    assert not S3ObjectStore(client, bucket).put_if_absent("key", b"ours"), "another call's write is not this one's"


def test_a_lost_answer_does_not_make_another_writers_object_ours(
    s3_endpoint: str, client: "S3Client", bucket: str
) -> None:
    store = S3ObjectStore(client, bucket)
    store.put_if_absent("key", b"another's")
    with forgetful_proxy(s3_endpoint, "PUT") as endpoint:
        assert not S3ObjectStore(s3_client(endpoint), bucket).put_if_absent("key", b"ours")

    assert store.get("key") == b"another's"


def test_credentials_stand_in_no_error() -> None:
    store = S3ObjectStore(impatient_client("http://127.0.0.1:1"), "bucket")

    with pytest.raises(ObjectStoreUnavailable) as caught:
        store.get("key")

    assert "not-so-secret" not in str(caught.value)


def impatient_client(endpoint: str) -> "S3Client":
    """As services make it, but for tries and credentials."""
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=2,
        read_timeout=2,
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        config=config,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="not-so-secret",
    )


@contextmanager
def server_that_answers(*answers: bytes) -> Iterator[str]:
    """http://host:port of a server that gives the answers one a request, the last one again and again, and closes."""
    rest = list(answers)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                if line.startswith(b"expect:"):
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.rfile.read(length)
            answer = rest.pop(0) if len(rest) > 1 else rest[0]
            # Said, not only done: a client that is quicker than our closing would send its next request into it.
            self.wfile.write(answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)
