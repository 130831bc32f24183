"""Who really talks to whom: read from the addresses in the settings of every container, as processes read them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.deploy.kustomize import Manifest
from tests.unit.deploy.network import Pod
from tests.unit.deploy.workloads import Container, containers, environment, named, secret_settings

ADDRESS = re.compile(r"^(?:(?:tcp|https?)://)?([a-z][a-z0-9-]*):([0-9]+)$")
POSTGRES = 5432
HTTPS = 443
# Of an instance that CloudNativePG runs: https://cloudnative-pg.io/docs/1.31/security
INSTANCE_STATUS = 8000
INSTANCE_METRICS = 9187
# Whoever keeps objects without an address of its own uses the public one of AWS.
OBJECT_STORE = re.compile(r"_OBJECT_STORE_URL$")
OUTSIDE = re.compile(r"^https://")


@dataclass(frozen=True, order=True)
class Flow:
    """`caller` opens connections to `port` of `called`, a workload or "postgres"/"public" outside the cluster."""

    caller: str
    called: str
    port: int


def pods(manifests: list[Manifest]) -> dict[str, Pod]:
    """The pod of each workload by the workload's name."""
    templates = {
        each["metadata"]["name"]: each["spec"]["template"]
        for each in manifests
        if each["kind"] in ("Deployment", "StatefulSet", "Job")
    }
    made = {
        name: Pod(name, tuple(template["metadata"]["labels"].items()), ports=tuple(_ports(template)))
        for name, template in templates.items()
    }
    return made | {name: _instance(name) for name in named(manifests, "Cluster")}


def _instance(cluster: str) -> Pod:
    """One of a PostgreSQL that CloudNativePG runs, as it labels it and as it listens."""
    ports = (("postgresql", POSTGRES), ("status", INSTANCE_STATUS), ("metrics", INSTANCE_METRICS))
    return Pod(cluster, (("cnpg.io/cluster", cluster), ("cnpg.io/podRole", "instance")), ports=ports)


def real_flows(manifests: list[Manifest]) -> set[Flow]:
    """Every flow that the settings of the manifests lead to."""
    among = {Flow(name, name, port) for name in named(manifests, "Cluster") for port in (POSTGRES, INSTANCE_STATUS)}
    return among | {flow for container in containers(manifests) for flow in _flows(container, manifests)}


def _flows(container: Container, manifests: list[Manifest]) -> Iterator[Flow]:
    told = environment(container, manifests)
    for host, port in _addresses(container, told):
        service = named(manifests, "Service")[host]["spec"]
        for called in _behind(service, manifests):
            yield Flow(container.workload, called.name, _target(service, port, called))
    if any("database_url" in name for name in secret_settings(container, manifests)):
        # Secrets are made with the name of the small cluster's PostgreSQL; where there is none, it is outside.
        yield Flow(container.workload, "postgres", POSTGRES)
    outside = {name for name, value in told.items() if OBJECT_STORE.search(name) or OUTSIDE.match(value)}
    if {name for name in outside if name.replace("_URL", "_ENDPOINT_URL") not in told}:
        yield Flow(container.workload, "public", HTTPS)
    yield from _of_dask(container)


def _addresses(container: Container, told: dict[str, str]) -> Iterator[tuple[str, int]]:
    for value in (*told.values(), *container.spec.get("args", [])):
        if found := ADDRESS.match(value):
            yield found[1], int(found[2])
    if "PGHOST" in told:
        yield told["PGHOST"], POSTGRES


def _of_dask(container: Container) -> Iterator[Flow]:
    """A worker tells the scheduler its ports, to which scheduler and other workers come back."""
    options = dict(each.removeprefix("--").split("=", 1) for each in container.spec.get("args", []) if "=" in each)
    for option in options.keys() & {"worker-port", "nanny-port"}:
        yield Flow("dask-scheduler", container.workload, int(options[option]))
        yield Flow(container.workload, container.workload, int(options[option]))


def _behind(service: dict[str, Any], manifests: list[Manifest]) -> list[Pod]:
    return [pod for pod in pods(manifests).values() if service["selector"].items() <= dict(pod.labels).items()]


def _target(service: dict[str, Any], port: int, called: Pod) -> int:
    (entry,) = (each for each in service["ports"] if each["port"] == port)
    return dict(called.ports)[entry["targetPort"]]


def _ports(template: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for container in template["spec"]["containers"]:
        for port in container.get("ports", []):
            yield port["name"], port["containerPort"]
