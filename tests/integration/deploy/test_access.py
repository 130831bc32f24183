"""What create-access.sh makes: enough for compose and the component of Kubernetes, and good for a server."""

import subprocess
from pathlib import Path

import pytest
import yaml

from services.runtime.access.bearer import read_key
from services.runtime.access.certificates import check_authorities, check_pair
from services.runtime.access.keys import parse_keys
from services.runtime.access.roles import Role
from tests.unit.deploy.workloads import SERVICES

DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of fresh keys and certificates."""
    folder = tmp_path_factory.mktemp("access") / "access"
    subprocess.run([DEPLOY / "create-access.sh", folder], check=True, timeout=120, stdout=subprocess.DEVNULL)
    return folder


def test_compose_and_the_component_find_every_file_that_they_name(made: Path) -> None:
    compose = yaml.safe_load((DEPLOY / "compose/access.yaml").read_text())["secrets"]
    component = yaml.safe_load((DEPLOY / "k8s/components/access/kustomization.yaml").read_text())
    named = {entry.rpartition("secrets/")[2] for each in component["secretGenerator"] for entry in each["files"]}
    files = {path.name for path in made.iterdir()}

    assert {secret["file"].removeprefix("access/") for secret in compose.values()} <= files
    assert named <= files


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_a_certificate_that_serves(made: Path, service: str) -> None:
    check_authorities(made / "ca.crt")

    assert check_pair(made / f"{service}.crt", made / f"{service}.key") > 0


def test_keys_let_in_ingest_and_an_admin(made: Path) -> None:
    ring = parse_keys((made / "api_keys").read_text())
    known = {name: ring.of_key(read_key(made / f"{name}_api_key")) for name in ("ingest", "admin")}

    assert {name: found and (found.name, found.role) for name, found in known.items()} == {
        "ingest": ("ingest", Role.ADMIN),
        "admin": ("admin", Role.ADMIN),
    }


def test_what_was_made_once_is_kept_and_closed_to_others(made: Path) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}

    subprocess.run([DEPLOY / "create-access.sh", made], check=True, timeout=120, stdout=subprocess.DEVNULL)

    assert {path.name: path.read_bytes() for path in made.iterdir()} == before
    assert made.stat().st_mode & 0o777 == 0o700


def test_lines_can_be_added_to_the_file_of_keys_by_its_owner_alone(made: Path) -> None:
    assert (made / "api_keys").stat().st_mode & 0o777 == 0o644
