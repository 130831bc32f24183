"""What the component of Prometheus' operator brings: every target, every alert, every dashboard."""

import pytest

from tests.unit.deploy.kustomize import Manifest, build
from tests.unit.deploy.monitoring.promql import DASHBOARDS
from tests.unit.deploy.prometheus_rules import MANIFEST, manifest
from tests.unit.deploy.workloads import KUBERNETES, SERVICES, named


@pytest.fixture(scope="module")
def operators() -> list[Manifest]:
    """The overlay that takes it in."""
    return build(KUBERNETES / "overlays/operators")


def test_the_operator_is_told_the_rules_that_prometheus_is() -> None:
    assert MANIFEST.read_text() == manifest(), "run `make format`"


def test_every_service_is_scraped_under_the_labels_that_the_rules_know(operators: list[Manifest]) -> None:
    spec = named(operators, "ServiceMonitor")["afin"]["spec"]
    scraped = {
        name: {port["name"] for port in service["spec"]["ports"]}
        for name, service in named(operators, "Service").items()
        if spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    }
    (endpoint,) = spec["endpoints"]

    assert {name for name, ports in scraped.items() if endpoint["port"] in ports} >= set(SERVICES)
    assert {each["targetLabel"] for each in endpoint["relabelings"]} == {"job", "service"}
    assert [each["replacement"] for each in endpoint["relabelings"] if each["targetLabel"] == "job"] == ["afin"]


def test_grafana_finds_every_dashboard(operators: list[Manifest]) -> None:
    shown = {
        file
        for each in named(operators, "ConfigMap").values()
        if each["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
        for file in each["data"]
    }

    assert shown == {path.name for path in DASHBOARDS}
