"""What replaces images of registries on a machine that reaches none, and what a machine allows less of. Pure."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

PREFIX = "localhost/afin-standin"
OWNER = re.compile(r",uid=\d+,gid=\d+,mode=\d+$")
PROCESSES = 4096
# Podman gives others their addresses from the lowest on.
FIRST_HOST = 100
Model = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standin:
    """`health`: a check in place of the image's own, with which goes what the original is told to run."""

    image: str
    health: tuple[str, ...] = ()


# By the repository that compose names; a service of another foreign image is left out.
STANDINS: Mapping[str, Standin] = {
    "postgres": Standin(f"{PREFIX}/postgres:local"),
    "prom/prometheus": Standin(f"{PREFIX}/prometheus:local"),
    "chrislusf/seaweedfs": Standin(f"{PREFIX}/s3:local", health=("CMD", "/venv/bin/python", "/asks.py")),
}


@dataclass(frozen=True, slots=True)
class Adapted:
    """`model`: what is run. `differences`: in what it differs from the compose file, for the report."""

    model: Model
    differences: list[str]


def adapt(original: Model, open_files: int) -> Adapted:
    """Compose's resolved model for a machine without registries, whose processes may open so many files.

    Health, dependencies, users, rights, mounts, secrets, limits and settings stay as they are.
    """
    model, differences = deepcopy(original), list[str]()
    for name, service in list(model["services"].items()):
        if not _replace_image(service, name, differences):
            del model["services"][name]
            continue
        if service.get("ulimits", {}).get("nofile", 0) > open_files:
            differences.append(f"{name}: at most {open_files} open files, the most that this machine allows")
        # Told one limit, podman sets the other too, higher than a machine may allow. Ours is above pids_limit.
        service["ulimits"] = {"nofile": open_files, "nproc": PROCESSES}
        _give_tmpfs(service, name, differences)
        # Podman's interface of Docker is older than this; the test asks for health more often by itself.
        service.get("healthcheck", {}).pop("start_interval", None)
        # Two of a service cannot have the same port of this machine: all are asked at their own addresses.
        service.pop("ports", None)
        service.pop("build", None)
    for volume in model.get("volumes", {}).values():
        (volume or {}).pop("name", None)
    return Adapted(model, differences)


def with_twins(original: Model, services: Sequence[str], subnet: str) -> Model:
    """Each of the services twice, under one name in the network; all of them keep their addresses for life.

    `subnet`: the first three numbers of the network's addresses, "10.89.211".
    """
    model = deepcopy(original)
    for name in services:
        model["services"][f"{name}-twin"] = deepcopy(model["services"][name])
        for number, each in enumerate((name, f"{name}-twin")):
            host = FIRST_HOST + 2 * list(services).index(name) + number
            model["services"][each]["networks"] = {"default": {"aliases": [name], "ipv4_address": f"{subnet}.{host}"}}
    model["networks"] = {"default": {"ipam": {"config": [{"subnet": f"{subnet}.0/24"}]}}}
    return model


def _give_tmpfs(service: Model, name: str, differences: list[str]) -> None:
    """To podman one does not name the owner of a tmpfs: it can be the container's user."""
    found = service.get("tmpfs", [])
    owned = [OWNER.sub(",U", mount) for mount in found]
    if owned != found:
        service["tmpfs"] = owned
        differences.append(f"{name}: a folder in memory belongs to its user by another option, and others may read it")


def _replace_image(service: Model, name: str, differences: list[str]) -> bool:
    """False where there is nothing to replace it by."""
    repository = service["image"].rpartition(":")[0]
    if repository.startswith("afin/"):
        service["image"] = f"localhost/{service['image']}"
        return True
    standin = STANDINS.get(repository)
    if standin is None:
        differences.append(f"{name}: left out, for {repository} is not to be had from packages")
        return False
    differences.append(f"{name}: {standin.image} for {service['image']}")
    service["image"] = standin.image
    if standin.health and "healthcheck" in service:
        service |= {"command": None, "entrypoint": None}
        service["healthcheck"]["test"] = list(standin.health)
    return True
