"""What rules and dashboards ask Prometheus: files, expressions, and the series that an expression names."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.unit.deploy.workloads import ROOT

FOLDER = ROOT / "deploy/monitoring"
RULES = sorted((FOLDER / "rules").glob("*.yaml"))
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
SERIES = re.compile(
    r"\b(?P<name>[a-z_:][a-z0-9_:]*)\s*\{(?P<matchers>[^}]*)\}|\b(?P<bare>(?:afin_|grpc_server_|pipeline:)[a-z0-9_:]*)"
)
MATCHER = re.compile(r'(?P<label>\w+)\s*(?P<how>=~|!~|!=|=)\s*"(?P<value>[^"]*)"')


@dataclass(frozen=True)
class Expression:
    """A question to Prometheus, and where it stands."""

    place: str
    text: str

    def series(self) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
        """Each name of a series in it, with its matchers: label, operator, value."""
        for found in SERIES.finditer(self.text):
            yield found["name"] or found["bare"], MATCHER.findall(found["matchers"] or "")

    def plain(self) -> str:
        """With values in place of a dashboard's variables."""
        return self.text.replace("$__rate_interval", "1m").replace("$__range", "1d").replace("$service", ".*")


@cache
def rules() -> list[dict[str, Any]]:
    """All rules, those that record included."""
    files = [yaml.safe_load(path.read_text()) for path in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """The rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


def dashboard(path: Path) -> dict[str, Any]:
    """A dashboard's model."""
    return dict(json.loads(path.read_text()))


def panels(path: Path) -> list[dict[str, Any]]:
    """Those of its panels that show something."""
    return [panel for panel in dashboard(path)["panels"] if panel["type"] != "row"]


@cache
def expressions() -> list[Expression]:
    """Of all rules and dashboards."""
    asked = [Expression(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    asked += [
        Expression(f"{path.stem}: {panel['title']}", target["expr"])
        for path in DASHBOARDS
        for panel in panels(path)
        for target in panel["targets"]
    ]
    return asked
