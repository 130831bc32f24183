"""The policies let through every connection that the suite needs, and no other."""

import pytest

from tests.unit.deploy.flows import Flow, pods, real_flows
from tests.unit.deploy.kustomize import Manifest
from tests.unit.deploy.network import Pod, allowed
from tests.unit.deploy.workloads import SERVICES

PROMETHEUS = Pod("prometheus", (("app.kubernetes.io/name", "prometheus"),), namespace="monitoring")
SOMEBODY = Pod("somebody", (("app.kubernetes.io/name", "ingest"),), namespace="default")
NAMES = Pod("names", (("k8s-app", "kube-dns"),), namespace="kube-system")
DNS = 53
# What production's network.yaml names: a PostgreSQL, and any public address.
POSTGRES = Pod("postgres", namespace="", address="10.20.30.40")
PUBLIC = Pod("public", namespace="", address="203.0.113.10")
CLUSTER = Pod("cluster", namespace="", address="10.96.0.1")
PRIVATE = (CLUSTER, *(Pod(each, namespace="", address=each) for each in ("169.254.169.254", "fd00:ec2::254")))
# Nobody listens there: a policy that lets it through is too wide.
STRAY = 9999


@pytest.fixture(scope="session")
def policies(manifests: list[Manifest]) -> list[Manifest]:
    """Those of one overlay."""
    return [each for each in manifests if each["kind"] == "NetworkPolicy"]


@pytest.fixture(scope="session")
def workloads(manifests: list[Manifest]) -> dict[str, Pod]:
    """The pods of one overlay, and what is outside."""
    return pods(manifests)


def test_pods_reach_each_other_just_where_their_settings_lead(
    manifests: list[Manifest], policies: list[Manifest], workloads: dict[str, Pod]
) -> None:
    every = {*workloads.values(), PUBLIC} | ({POSTGRES} if "postgres" not in workloads else set())
    doors = {port for pod in workloads.values() for _, port in pod.ports} | {443, 5432, STRAY}
    let_through = {
        Flow(caller.name, called.name, port)
        for caller in workloads.values()
        for called in every
        for port in doors
        if allowed(policies, caller, called, port)
    }

    assert let_through == real_flows(manifests)


def test_from_outside_come_prometheus_for_metrics_and_anybody_for_recommendations(
    overlay: str, policies: list[Manifest], workloads: dict[str, Pod]
) -> None:
    doors = {port for pod in workloads.values() for _, port in pod.ports} | {STRAY}
    let_in = {
        Flow(caller.name, called.name, port)
        for caller in (PROMETHEUS, SOMEBODY)
        for called in workloads.values()
        for port in doors
        if allowed(policies, caller, called, port)
    }

    recommender = dict(workloads["recommender"].ports)["grpc"]
    measured = {*SERVICES, *(("postgres",) if overlay == "operators" else ())}
    metrics = {Flow("prometheus", name, dict(workloads[name].ports)["metrics"]) for name in measured}
    assert let_in == metrics | {Flow(each, "recommender", recommender) for each in ("prometheus", "somebody")}


def test_every_pod_asks_for_names_and_none_but_a_managed_database_asks_the_cluster_or_its_machine(
    overlay: str, policies: list[Manifest], workloads: dict[str, Pod]
) -> None:
    callers = workloads.values()
    managed = [Flow("postgres", CLUSTER.name, 443)] if overlay == "operators" else []

    assert {each.name for each in callers if allowed(policies, each, NAMES, DNS, "UDP")} == workloads.keys()
    assert {each.name for each in callers if allowed(policies, each, NAMES, DNS)} == workloads.keys()
    assert managed == [
        Flow(each.name, place.name, port)
        for each in callers
        for place in PRIVATE
        for port in (80, 443)
        if allowed(policies, each, place, port)
    ]


def test_a_flow_without_its_policy_would_be_found(policies: list[Manifest], workloads: dict[str, Pod]) -> None:
    fewer = [each for each in policies if each["metadata"]["name"] != "warehouse-and-indexer-answer-ingest"]

    assert allowed(policies, workloads["ingest"], workloads["warehouse"], 50052)
    assert not allowed(fewer, workloads["ingest"], workloads["warehouse"], 50052)
