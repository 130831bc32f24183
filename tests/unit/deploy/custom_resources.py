"""Custom resources against what their operators know, to the last field.

Those of cert-manager and of Prometheus' operator by models that are generated from their definitions; CloudNativePG's,
of which no package has any, by the fields of its API reference that we use.
"""

from importlib import import_module
from typing import Any

from tests.unit.deploy.kustomize import Manifest

# Imported when one is asked for: that takes seconds.
MODELS = {
    "cert-manager.io/v1": "cloudcoil.models.cert_manager.v1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}
POSTGRES = "postgresql.cnpg.io/v1"
# https://cloudnative-pg.io/docs/1.31/cloudnative-pg.v1: what each object may hold. None: anything, or no object.
ROLE = {
    "name": str,
    "ensure": str,
    "login": bool,
    "createrole": bool,
    "inRoles": [str],
    "passwordSecret": {"name": str},
}
CLUSTER = {
    "instances": int,
    "imageName": str,
    "bootstrap": {
        "initdb": {"database": str, "owner": str, "secret": {"name": str}, "postInitApplicationSQL": [str]},
    },
    "managed": {"roles": [ROLE]},
    "postgresql": {"parameters": None},
    "affinity": {"podAntiAffinityType": str, "topologyKey": str},
    "storage": {"size": str},
    "walStorage": {"size": str},
    "resources": None,
}


def is_custom(manifest: Manifest) -> bool:
    """Whether Kubernetes itself does not know its kind."""
    return manifest["apiVersion"] in {*MODELS, POSTGRES}


def validate_custom(manifest: Manifest) -> None:
    """ValueError for a field that is unknown, missing or of another type."""
    if manifest["apiVersion"] == POSTGRES:
        if manifest["kind"] != "Cluster":
            raise ValueError(f"no fields are known of {manifest['kind']}")
        return _check(manifest["spec"], CLUSTER, "spec")
    model = getattr(import_module(MODELS[manifest["apiVersion"]]), manifest["kind"]).model_validate(manifest)
    understood = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if understood != manifest:
        raise ValueError(f"{manifest['kind']} {manifest['metadata']['name']}: only {understood} is understood")
    return None


def _check(found: Any, known: Any, place: str) -> None:
    if isinstance(known, dict):
        if unknown := found.keys() - known.keys():
            raise ValueError(f"{place}: unknown {sorted(unknown)}")
        for name, value in found.items():
            _check(value, known[name], f"{place}.{name}")
    elif isinstance(known, list):
        for number, value in enumerate(found):
            _check(value, known[0], f"{place}[{number}]")
    elif known is not None and not isinstance(found, known):
        raise ValueError(f"{place}: {found!r} is not of type {known.__name__}")
