"""The same command on a database and an S3 server that somebody else runs, named by their URLs.

The server lets each service do only what its policy in deploy/s3 says.
"""

import os
import subprocess
from pathlib import Path

from tests.e2e.conftest import START_SECONDS, afin
from tests.e2e.guarded_bucket import CREDENTIALS, guarded_bucket
from tests.unit.deploy.object_rights import BUCKET
from tests.unit.deploy.workloads import SERVICES


def test_the_main_job_runs_on_a_given_database_and_on_s3_with_the_rights_that_are_deployed(
    database_url: str, small_data: Path, tmp_path: Path
) -> None:
    given = {"DATABASE_URL": database_url, "OBJECT_STORE_URL": f"s3://{BUCKET}"}
    command = afin("demo", "--once", "--data", str(small_data), "--state", str(tmp_path / "state"))

    with guarded_bucket(SERVICES) as (addresses, doors):
        told = {f"{name.upper()}_OBJECT_STORE_ENDPOINT_URL": address for name, address in addresses.items()}
        done = subprocess.run(
            command,
            env={**os.environ, **CREDENTIALS, **given, **told},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    assert {name: door.refused for name, door in doors.items() if door.refused} == {}
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("is recommended") == 3
    assert "s3:PutObject" not in doors["recommender"].used | doors["warehouse"].used
    assert not (tmp_path / "state" / "postgres").exists()
    assert not (tmp_path / "state" / "objects").exists()
