"""The secrets that create-secrets.sh makes: enough for compose and a small cluster, and kept to oneself."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from botocore.configloader import raw_config_parse

from tests.unit.deploy.composition import compose
from tests.unit.deploy.object_rights import rights_of
from tests.unit.deploy.workloads import SERVICES

DEPLOY = Path(__file__).parents[3] / "deploy"
SEAWEEDFS_ACTIONS = {
    "s3:ListBucket": "List",
    "s3:GetObject": "Read",
    "s3:PutObject": "Write",
    "s3:DeleteObject": "Write",
}


def create_secrets(folder: Path) -> None:
    subprocess.run([DEPLOY / "create-secrets.sh", folder], check=True, timeout=60, stdout=subprocess.DEVNULL)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder of fresh ones."""
    create_secrets(tmp_path / "secrets")
    return tmp_path / "secrets"


def test_compose_and_a_small_cluster_find_every_secret_that_they_name(secrets: Path) -> None:
    named = compose(DEPLOY / "compose/compose.yaml")["secrets"]
    component = (DEPLOY / "k8s/components/small-cluster/kustomization.yaml").read_text()
    made = {path.name for path in secrets.iterdir()}

    assert named.keys() == made
    assert set(re.findall(r"\bsecrets/(\w[\w.]*)", component)) == made


def test_only_their_owner_can_reach_them_and_containers_can_read_them(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}


def test_what_was_made_once_is_kept(secrets: Path) -> None:
    first = {path.name: path.read_text() for path in secrets.iterdir()}

    create_secrets(secrets)

    assert {path.name: path.read_text() for path in secrets.iterdir()} == first


def test_no_two_are_alike(secrets: Path, tmp_path: Path) -> None:
    create_secrets(tmp_path / "others")
    values = [path.read_text() for folder in (secrets, tmp_path / "others") for path in folder.iterdir()]

    assert len(values) == len(set(values))


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_keys_that_the_s3_server_knows_and_the_rights_of_its_policy(
    secrets: Path, service: str
) -> None:
    keys = raw_config_parse(str(secrets / f"s3_{service}"))["default"]
    (known,) = (
        each for each in json.loads((secrets / "seaweedfs.json").read_text())["identities"] if each["name"] == service
    )

    assert set(known["actions"]) == {
        f"{SEAWEEDFS_ACTIONS[right.action]}:{right.resource}" for right in rights_of(service)
    }
    assert known["credentials"] == [
        {"accessKey": keys["aws_access_key_id"], "secretKey": keys["aws_secret_access_key"]}
    ]
