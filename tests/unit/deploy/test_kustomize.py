"""The overlays themselves: valid for Kubernetes, complete, and read by our stand-in as kustomize reads them."""

import base64
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.unit.deploy.custom_resources import is_custom, validate_custom
from tests.unit.deploy.kustomize import Manifest, build, each_dict
from tests.unit.deploy.workloads import KUBERNETES, SERVICES, named, secret_keys

# The oldest that knows every field in use by default (preStop.sleep), and the newest whose schemas are at hand.
OLDEST = "1.30"
# kustomize writes its hashes with these characters alone, lest they spell words.
HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")
# Of keys, certificates and credentials, where an overlay has them.
MAY_BE_MISSING = {
    "api-keys",
    "ingest-api-key",
    "console-tls",
    *(f"{name}-tls" for name in SERVICES),
    *(f"object-store-{name}" for name in SERVICES),
}
REFERENCES = {"ConfigMap": ("configMapRef", "configMap"), "Secret": ("secretRef", "secret", "passwordSecret")}


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_every_manifest_is_valid(manifests: list[Manifest], version: str) -> None:
    for manifest in manifests:
        _validate(json.dumps(manifest), version)


def test_a_misspelt_field_would_be_found(manifests: list[Manifest]) -> None:
    deployment = named(manifests, "Deployment")["ingest"]
    wrong = {**deployment, "spec": {**deployment["spec"], "replica": 2}}

    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, OLDEST, strict=True)


def test_everything_lives_in_one_namespace_that_holds_pods_to_the_restricted_standard(
    manifests: list[Manifest],
) -> None:
    labels = named(manifests, "Namespace")["afin"]["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"].get("namespace") for each in manifests if each["kind"] != "Namespace"} == {"afin"}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_every_reference_names_something_that_is_there(manifests: list[Manifest], kind: str) -> None:
    references = [
        holder[field]
        for field in REFERENCES[kind]
        for holder in each_dict(manifests, lambda found, field=field: isinstance(found.get(field), dict))  # type: ignore[misc]
    ]
    needed = {_name(reference) for reference in references if not reference.get("optional")}
    known = (secret_keys(manifests) if kind == "Secret" else named(manifests, kind)).keys()

    assert needed
    assert needed - known == set()
    assert {_name(reference) for reference in references} - known <= MAY_BE_MISSING


def test_every_service_leads_to_a_port_of_a_pod(manifests: list[Manifest]) -> None:
    pods = [each["spec"]["template"] for each in manifests if each["kind"] in ("Deployment", "StatefulSet")]
    astray = [
        (name, port["targetPort"])
        for name, service in named(manifests, "Service").items()
        for port in service["spec"]["ports"]
        if port["targetPort"] not in _ports_behind(service["spec"]["selector"], pods)
    ]

    assert astray == []


def test_no_two_manifests_share_a_kind_and_name(manifests: list[Manifest]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]

    assert sorted(names) == sorted(set(names))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_itself_builds_the_same(overlay: str, tmp_path: Path) -> None:
    for part in ("k8s", "monitoring"):
        shutil.copytree(KUBERNETES.parent / part, tmp_path / part, ignore=shutil.ignore_patterns("secrets"))
    copy = tmp_path / "k8s"
    _give_secrets(copy)

    built = subprocess.run(
        ["kubectl", "kustomize", copy / "overlays" / overlay], check=True, capture_output=True, timeout=60
    )

    theirs = [_without_hashes(each) for each in yaml.safe_load_all(built.stdout)]
    assert _sorted(theirs) == _sorted(build(copy / "overlays" / overlay))


@cache
def _validate(text: str, version: str) -> None:
    """Overlays share most manifests: each is looked at once."""
    manifest = json.loads(text)
    if is_custom(manifest):
        validate_custom(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


def _name(reference: dict[str, Any]) -> str:
    return str(reference.get("name") or reference["secretName"])


def _ports_behind(selector: dict[str, str], pods: list[dict[str, Any]]) -> set[str]:
    behind = [pod for pod in pods if selector.items() <= pod["metadata"]["labels"].items()]
    return {port["name"] for pod in behind for each in pod["spec"]["containers"] for port in each.get("ports", [])}


def _give_secrets(kubernetes: Path) -> None:
    for path in kubernetes.rglob("kustomization.yaml"):
        for generator in yaml.safe_load(path.read_text()).get("secretGenerator", []):
            for entry in generator["files"]:
                file = path.parent / entry.rpartition("=")[2]
                file.parent.mkdir(exist_ok=True)
                file.touch()


def _without_hashes(manifest: Manifest) -> Manifest:
    for holder in each_dict(manifest, lambda found: "name" in found or "secretName" in found):
        for field in holder.keys() & {"name", "secretName"}:
            holder[field] = HASH.sub("", holder[field])
    if manifest["kind"] == "Secret":
        if manifest["type"] == "Opaque":
            manifest.pop("type")
        manifest["data"] = {key: base64.b64decode(value).decode() for key, value in manifest["data"].items()}
    return manifest


def _sorted(manifests: list[Manifest]) -> list[Manifest]:
    return sorted(manifests, key=lambda each: (each["kind"], each["metadata"]["name"]))
