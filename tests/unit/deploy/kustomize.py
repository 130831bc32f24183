"""As much of kustomize as our overlays use, so that the policies can be checked where kubectl is not installed.

Generated names stay without the hash of their content, and Secrets without what files hold that are never committed.
A field that is not understood is an error, not ignored. Where kubectl is there, a test compares the two.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
UNDERSTOOD = {
    "apiVersion", "kind", "namespace", "resources", "components", "images", "configMapGenerator", "secretGenerator"
}  # fmt: skip
CLUSTER_WIDE = {"Namespace"}


def build(folder: Path) -> list[Manifest]:
    """Every manifest of the kustomization in `folder`."""
    return _build(folder, [])


def _build(folder: Path, manifests: list[Manifest]) -> list[Manifest]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := kustomization.keys() - UNDERSTOOD:
        raise NotImplementedError(f"{folder}: this stand-in for kustomize does not know {sorted(unknown)}")
    for name in kustomization.get("resources", []):
        manifests = manifests + _resource(folder / name)
    for name in kustomization.get("components", []):
        manifests = _build(folder / name, manifests)
    manifests = _generated(folder, kustomization, manifests)
    for image in kustomization.get("images", []):
        _replace_image(manifests, image)
    _place(manifests, kustomization.get("namespace"))
    return manifests


def _generated(folder: Path, kustomization: Manifest, manifests: list[Manifest]) -> list[Manifest]:
    for generator in kustomization.get("configMapGenerator", []):
        manifests = _generate(manifests, "ConfigMap", generator, _config_data(folder, generator))
    for generator in kustomization.get("secretGenerator", []):
        manifests = _generate(manifests, "Secret", generator, _secret_data(folder, generator))
    return manifests


def _place(manifests: list[Manifest], namespace: str | None) -> None:
    for manifest in manifests:
        if namespace and manifest["kind"] not in CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = namespace


def _resource(path: Path) -> list[Manifest]:
    return build(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))


def _config_data(folder: Path, generator: dict[str, Any]) -> dict[str, str]:
    lines = [line for name in generator.get("envs", []) for line in (folder / name).read_text().splitlines()]
    pairs = [line.split("=", 1) for line in [*lines, *generator.get("literals", [])] if line and line[0] != "#"]
    files = {key: path.read_text() for key, path in _files(folder, generator)}
    return {**dict(pairs), **files}


def _secret_data(folder: Path, generator: dict[str, Any]) -> dict[str, str]:
    literals = [line.split("=", 1) for line in generator.get("literals", [])]
    files = {key: path.read_text() if path.exists() else "" for key, path in _files(folder, generator)}
    return {**dict(literals), **files}


def _files(folder: Path, generator: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    for entry in generator.get("files", []):
        key, _, name = entry.rpartition("=")
        yield key or Path(name).name, folder / name


def _generate(manifests: list[Manifest], kind: str, generator: dict[str, Any], data: dict[str, str]) -> list[Manifest]:
    name, behavior = generator["name"], generator.get("behavior", "create")
    found = [each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    if len(found) != (1 if behavior == "merge" else 0) or behavior not in ("create", "merge"):
        raise ValueError(f"cannot {behavior} {kind} {name}: {len(found)} are there")
    if found:
        found[0]["data"].update(data)
        return manifests
    labels = generator.get("options", {}).get("labels")
    metadata = {"name": name, "labels": labels} if labels else {"name": name}
    made: Manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data}
    return [*manifests, made | {"type": generator["type"]} if "type" in generator else made]


def _replace_image(manifests: list[Manifest], image: dict[str, str]) -> None:
    for container in each_dict(manifests, lambda found: "image" in found):
        name, _, tag = container["image"].partition(":")
        if name == image["name"]:
            suffix = f"@{image['digest']}" if "digest" in image else f":{image.get('newTag', tag)}"
            container["image"] = image.get("newName", name) + suffix


def each_dict(found: object, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    """Every mapping anywhere inside `found` of which `wanted` is true."""
    if isinstance(found, dict) and wanted(found):
        yield found
    children = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    for child in children:
        yield from each_dict(child, wanted)
