"""What the container test changes in the compose stack, and what it must leave as it is."""

import json
from typing import Any

import pytest

from tests.containers.load import PORTS
from tests.containers.standins import STANDINS, adapt, with_twins
from tests.unit.deploy.composition import compose
from tests.unit.deploy.workloads import ROOT

MAY_DIFFER = {"image", "ports", "healthcheck", "ulimits", "entrypoint", "command", "tmpfs"}
OPEN_FILES = 1000


@pytest.fixture(scope="module")
def original() -> dict[str, Any]:
    """The stack as it is."""
    return compose(ROOT / "deploy/compose/compose.yaml")


def test_users_rights_mounts_and_settings_stay(original: dict[str, Any]) -> None:
    adapted = adapt(original, OPEN_FILES).model["services"]

    def kept(service: dict[str, Any]) -> dict[str, Any]:
        tmpfs = [mount.partition(",")[0] for mount in service.get("tmpfs", [])]
        return {"tmpfs": tmpfs, **{key: value for key, value in service.items() if key not in MAY_DIFFER}}

    assert {name: kept(service) for name, service in adapted.items()} == {
        name: kept(original["services"][name]) for name in adapted
    }


def test_our_own_containers_run_what_they_are_told(original: dict[str, Any]) -> None:
    ours = {name for name, service in original["services"].items() if service["image"].startswith("afin/")}
    adapted = adapt(original, OPEN_FILES).model["services"]

    assert ours <= adapted.keys()
    for name in ours:
        assert adapted[name]["image"] == f"localhost/{original['services'][name]['image']}"
        assert adapted[name].get("command") == original["services"][name].get("command")


def test_every_difference_that_matters_is_told(original: dict[str, Any]) -> None:
    found = adapt(original, OPEN_FILES)
    gone = original["services"].keys() - found.model["services"].keys()

    assert gone == {"grafana"}
    assert {
        name for name in gone if not any(told.startswith(f"{name}: left out") for told in found.differences)
    } == set()
    assert f"ingest: at most {OPEN_FILES} open files, the most that this machine allows" in found.differences


def test_every_stand_in_replaces_an_image_that_is_there(original: dict[str, Any]) -> None:
    used = {service["image"].rpartition(":")[0] for service in original["services"].values()}

    assert STANDINS.keys() <= used


def test_twins_share_a_name_and_no_address(original: dict[str, Any]) -> None:
    model = with_twins(original, tuple(PORTS), "10.89.211")
    networks = [model["services"][name]["networks"]["default"] for each in PORTS for name in (each, f"{each}-twin")]

    assert [network["aliases"] for network in networks] == [[name] for name in PORTS for _ in range(2)]
    assert len({network["ipv4_address"] for network in networks}) == len(networks)
    assert json.dumps(original) == json.dumps(compose(ROOT / "deploy/compose/compose.yaml"))
