"""What access.yaml lays over compose.yaml: TLS and keys for all four services, told by settings that they know."""

from typing import Any

import pytest
import yaml

from services.runtime.settings import ServiceSettings
from tests.unit.deploy.composition import compose
from tests.unit.deploy.contract import GRPC_SERVICES, read_settings
from tests.unit.deploy.workloads import ROOT, SERVICES

FOLDER = ROOT / "deploy/compose"
BELOW = compose(FOLDER / "compose.yaml")
OVER = yaml.safe_load((FOLDER / "access.yaml").read_text())


@pytest.fixture(params=SERVICES)
def name(request: pytest.FixtureRequest) -> str:
    """Of a service."""
    return str(request.param)


def settings_of(name: str) -> ServiceSettings:
    told = {**BELOW["services"][name]["environment"], **OVER["services"][name]["environment"]}
    targets = [secret["target"] for secret in BELOW["services"][name]["secrets"]]
    files = {target.rpartition("/")[2] for target in targets if target.startswith("/run/secrets/afin/")}
    (read,) = read_settings(f"services.{name}", told, files)
    assert isinstance(read, ServiceSettings)
    return read


def test_each_service_speaks_tls_and_asks_for_keys_that_are_mounted(name: str) -> None:
    settings = settings_of(name).model_dump()
    mounted = {secret["target"] for secret in OVER["services"][name]["secrets"]}
    named = {str(path) for field, path in settings.items() if path and ("tls" in field or "api_key" in field)}

    assert named == mounted
    assert settings["tls_cert_file"]
    assert settings["api_keys_file"]


def test_probes_ask_the_plaintext_port(name: str) -> None:
    test: list[Any] = OVER["services"][name]["healthcheck"]["test"]

    assert test[4] == f"127.0.0.1:{settings_of(name).health_port}"
    assert test[5:] == ([] if name == "recommender" else [GRPC_SERVICES[name]])


def test_every_secret_is_a_file_that_is_never_committed() -> None:
    used = {secret["source"] for service in OVER["services"].values() for secret in service["secrets"]}

    assert used == OVER["secrets"].keys()
    assert {secret["file"].partition("/")[0] for secret in OVER["secrets"].values()} == {"access"}
    assert "compose/access/" in (ROOT / "deploy/.gitignore").read_text().splitlines()
