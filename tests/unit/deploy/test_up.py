"""The script that brings a local cluster up: which steps it would take, and in which order."""

import os
import subprocess

import pytest

from tests.unit.deploy.workloads import ROOT

UP = ROOT / "deploy/k8s/up.sh"
CLUSTERS = {
    "kind": "kind create",
    "kind-access": "kind create",
    "kind-dask": "kind create",
    "minikube": "minikube start",
}


def steps(cluster: str) -> list[str]:
    """What it prints where neither kind nor kubectl nor Docker is there."""
    environment = {"PATH": os.defpath, "DRY_RUN": "1"}
    done = subprocess.run([UP, cluster], env=environment, text=True, capture_output=True, timeout=30, check=True)
    return [line.removeprefix("+ ") for line in done.stdout.splitlines() if line.startswith("+ ")]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_it_goes_from_no_cluster_to_a_recommendation(cluster: str) -> None:
    taken = steps(cluster)
    order = [
        CLUSTERS[cluster],
        "build-images.sh",
        "afin/ingest:",
        "create-secrets.sh",
        f"apply --kustomize deploy/k8s/overlays/{cluster}",
        "job/migrate",
        "rollout status --timeout=10m deployment/ingest",
        "trigger.sh companies",
        "trigger.sh recommendations",
        "recommend.sh",
    ]

    found = [next((number for number, step in enumerate(taken) if part in step), None) for part in order]

    assert None not in found, taken
    assert found == sorted(number for number in found if number is not None)


def test_keys_and_the_image_of_dask_are_made_where_they_are_used() -> None:
    made = {cluster: " ".join(steps(cluster)) for cluster in CLUSTERS}

    assert {cluster for cluster, text in made.items() if "create-access.sh" in text} == {"kind-access"}
    assert {cluster for cluster, text in made.items() if "afin/dask:" in text} == {"kind-dask"}


def test_a_cluster_that_is_not_known_is_told_how_to_ask() -> None:
    done = subprocess.run([UP, "somewhere"], text=True, capture_output=True, timeout=30, check=False)

    assert (done.returncode, done.stderr.startswith("usage: deploy/k8s/up.sh kind")) == (2, True)
