"""The same command on a database and an S3 server that somebody else runs, named by their URLs."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.e2e.conftest import START_SECONDS, afin

BUCKET = "afin-lake"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server with the bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=BUCKET)
    try:
        yield f"http://{host}:{port}"
    finally:
        client.close()
        server.stop()


def test_the_main_job_runs_on_a_given_database_and_on_s3(
    database_url: str, s3_endpoint: str, small_data: Path, tmp_path: Path
) -> None:
    given = {
        "DATABASE_URL": database_url,
        "OBJECT_STORE_URL": f"s3://{BUCKET}/demo",
        "OBJECT_STORE_ENDPOINT_URL": s3_endpoint,
    }
    command = afin("demo", "--once", "--data", str(small_data), "--state", str(tmp_path / "state"))

    done = subprocess.run(
        command,
        env={**os.environ, **CREDENTIALS, **given},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("is recommended") == 3
    assert not (tmp_path / "state" / "postgres").exists()
    assert not (tmp_path / "state" / "objects").exists()
