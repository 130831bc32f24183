"""The containers that manifests describe, as the policies look at them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.deploy.kustomize import Manifest

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy/k8s"
OVERLAYS = ("kind", "kind-access", "kind-dask", "minikube", "operators", "production")
SERVICES = ("ingest", "warehouse", "indexer", "recommender")
SETTINGS_FOLDER = "/run/secrets/afin"


@dataclass(frozen=True)
class Container:
    """One container of a pod; `once`: it ends by itself (of a Job, or one that initialises)."""

    workload: str
    spec: dict[str, Any]
    pod: dict[str, Any]
    once: bool

    @property
    def name(self) -> str:
        """workload/container, for messages."""
        return f"{self.workload}/{self.spec['name']}"

    def mounts(self) -> dict[str, dict[str, Any]]:
        """The volume behind each path."""
        volumes = {volume["name"]: volume for volume in self.pod.get("volumes", [])}
        return {mount["mountPath"]: volumes.get(mount["name"], {}) for mount in self.spec.get("volumeMounts", [])}


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The manifests of a kind by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def containers(manifests: list[Manifest]) -> list[Container]:
    """Those of all Deployments, StatefulSets and Jobs."""
    found = []
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job"):
            pod, name = manifest["spec"]["template"]["spec"], manifest["metadata"]["name"]
            is_job = manifest["kind"] == "Job"
            found += [Container(name, spec, pod, once=True) for spec in pod.get("initContainers", [])]
            found += [Container(name, spec, pod, once=is_job) for spec in pod["containers"]]
    return found


def environment(container: Container, manifests: list[Manifest]) -> dict[str, str]:
    """What the container is told by variables, its ConfigMaps' included."""
    config_maps = named(manifests, "ConfigMap")
    told: dict[str, str] = {}
    for source in container.spec.get("envFrom", []):
        told |= config_maps[source["configMapRef"]["name"]]["data"]
    return told | {variable["name"]: variable["value"] for variable in container.spec.get("env", [])}


def secret_keys(manifests: list[Manifest]) -> dict[str, set[str]]:
    """What each Secret holds: those that are generated, and those that cert-manager makes."""
    made = {
        each["spec"]["secretName"]: {"tls.crt", "tls.key", "ca.crt"}
        for each in named(manifests, "Certificate").values()
    }
    return made | {name: set(secret["data"]) for name, secret in named(manifests, "Secret").items()}


def secret_settings(container: Container, manifests: list[Manifest]) -> set[str]:
    """The names of the files below /run/secrets/afin."""
    volume = container.mounts().get(SETTINGS_FOLDER)
    return set(named(manifests, "Secret")[volume["secret"]["secretName"]]["data"]) if volume else set()
