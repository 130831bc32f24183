"""Rules and dashboards ask for what there is, and say what they mean."""

import re
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool, json_format, message_factory

from tests.unit.deploy.contract import GRPC_SERVICES
from tests.unit.deploy.monitoring.metrics import Metric, metrics
from tests.unit.deploy.monitoring.promql import (
    DASHBOARDS,
    FOLDER,
    alerts,
    dashboard,
    expressions,
    panels,
    rules,
)
from tests.unit.deploy.workloads import ROOT

OF_PROMETHEUS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"}
OF_TARGETS = {"job", "service", "instance"}
SEVERITIES = {"warning", "critical"}
WIDTH = 24
CALL = re.compile(r"call 5005[1-4] (afin\.\w+\.v1\.\w+)/(\w+) '([^']*)'")


@pytest.fixture(scope="module")
def known() -> dict[str, Metric]:
    """Metrics by the names of their samples."""
    return {sample: metric for metric in metrics() for sample in metric.samples}


def test_what_is_asked_for_exists(known: dict[str, Metric]) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {each.place: {name for name, _ in each.series()} for each in expressions()}

    assert {place for place, names in asked.items() if not names} == set()
    assert set().union(*asked.values()) - known.keys() - OF_PROMETHEUS - recorded == set()


def test_labels_and_their_values_are_those_of_the_code(known: dict[str, Metric]) -> None:
    for name, matchers in (series for expression in expressions() for series in expression.series()):
        metric = known.get(name)
        for label, how, value in matchers:
            assert label in OF_TARGETS | (metric.label_names if metric else set()), (name, label)
            values = metric.values.get(label, ()) if metric else ()
            if values and not value.startswith("$"):
                wanted = value.split("|") if "~" in how else [value]
                assert set(wanted) <= set(values), (name, label)


def test_every_alert_tells_what_it_is_and_where_help_is() -> None:
    for alert in alerts():
        notes = alert["annotations"]
        assert alert["labels"]["severity"] in SEVERITIES
        assert notes["summary"]
        assert notes["description"]
        assert notes["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    pages = {path.stem: path.read_text() for path in (ROOT / "docs/runbooks").glob("Afin*.md")}
    parts = ("## What it means", "## How to look", "## What to do")

    assert pages.keys() == {alert["alert"] for alert in alerts()}
    assert {name for name, text in pages.items() if not all(part in text for part in parts)} == set()


def test_the_calls_of_a_page_can_be_made() -> None:
    pages = "".join(path.read_text() for path in (ROOT / "docs/runbooks").glob("*.md"))
    calls = CALL.findall(pages.replace("…", ""))

    assert {service for service, _, _ in calls} <= set(GRPC_SERVICES.values())
    assert len(calls) > 20
    for service, method, request in calls:
        rpc = descriptor_pool.Default().FindMethodByName(f"{service}.{method}")
        json_format.Parse(request, message_factory.GetMessageClass(rpc.input_type)())


def test_every_alert_is_tested_to_fire_and_not_to_fire() -> None:
    tests = "".join(path.read_text() for path in (FOLDER / "tests").glob("*.yaml"))

    for alert in alerts():
        assert f"{{alertname: {alert['alert']}, eval_time: " in tests, alert["alert"]
        assert f"- alertname: {alert['alert']}\n" in tests, alert["alert"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda each: each.stem)
def test_a_dashboard_takes_any_prometheus_and_explains_its_panels(path: Path) -> None:
    model = dashboard(path)
    (source, *_) = model["templating"]["list"]

    assert (source["type"], source["name"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert model["uid"] == f"afin-{path.stem}"
    for panel in panels(path):
        assert panel["description"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda each: each.stem)
def test_panels_lie_beside_each_other(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard(path)["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= WIDTH, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
