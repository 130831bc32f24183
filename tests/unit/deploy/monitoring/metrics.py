"""All metrics of ours, as the code defines them. `make metrics-doc` writes docs/metrics.md from here.

They are looked for in an interpreter of their own, where nothing has happened yet.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module

from prometheus_client.metrics import MetricWrapperBase

from tests.unit.deploy.workloads import ROOT

PAGE = ROOT / "docs/metrics.md"
FOLDERS = {name: f"services/{name}" for name in ("runtime", "ingest", "warehouse", "indexer", "recommender")} | {
    "console": "console"
}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
TITLES = {name: name.capitalize() for name in FOLDERS} | {"runtime": "Every service"}
# So many values of a label are told one by one.
FEW = 8
HEAD = """# Metrics

Made from the code by `make metrics-doc`; a test compares. Every service tells them at `/metrics` of its metrics port
(9101 to 9105). Alerts: [deploy/monitoring/rules](../deploy/monitoring/rules), each with a page in [runbooks](runbooks);
dashboards: [deploy/monitoring/dashboards](../deploy/monitoring/dashboards).

- Names: `afin_<service>_…` for what one service knows, `afin_…` for what every process has, `grpc_server_…` as
  everywhere.
- Units are seconds, bytes, rows and shares (0 to 1); `…_timestamp_seconds` count from 1970. Counters and histograms of
  known labels begin at zero, so that the first event shows as an increase; gauges are missing, or NaN, until they are
  known.
- Labels come from bounded sets. None tells of a client, a run or a company.
- What only ingest's leader knows is told by the leader alone. With several replicas take `max by (…)`.
- Rules and dashboards want `job="afin"` and `service="ingest"`, … on every target.
- A recommender with `RECOMMENDER_PROCESSES` tells one page for all its processes: counters are added up, of gauges the
  lowest counts (`afin_access_file_unusable`, `afin_recommender_challenger_missing`: the highest).
"""


@dataclass(frozen=True)
class Metric:
    """values: of each label, those that are there before anything happens."""

    service: str
    name: str
    kind: str
    text: str
    values: dict[str, tuple[str, ...]]

    @property
    def samples(self) -> set[str]:
        """Names as queries use them."""
        return {self.name + suffix for suffix in SUFFIXES[self.kind]}

    @property
    def label_names(self) -> set[str]:
        """Those of the code, and a histogram's."""
        return set(self.values) | ({"le"} if self.kind == "histogram" else set())


@cache
def metrics() -> tuple[Metric, ...]:
    """By service, as they stand in the code."""
    command = [sys.executable, "-m", "tests.unit.deploy.monitoring.metrics", "tell"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(Metric(**each) for each in json.loads(told))


def page() -> str:
    """What docs/metrics.md must be."""
    return HEAD + "".join(_section(service) for service in FOLDERS)


def _of_service(service: str) -> Iterator[Metric]:
    seen: set[int] = set()
    for path in sorted((ROOT / FOLDERS[service]).rglob("*.py")):
        if "prometheus_client import" in path.read_text():
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for value in vars(module).values():
                if isinstance(value, MetricWrapperBase) and id(value) not in seen:
                    seen.add(id(value))
                    yield _metric(service, value)


def _metric(service: str, found: MetricWrapperBase) -> Metric:
    (described,) = found.describe()
    names = found._labelnames
    series = list(found._metrics) if names else []
    values = {name: tuple(dict.fromkeys(each[place] for each in series)) for place, name in enumerate(names)}
    return Metric(service, described.name, described.type, described.documentation, values)


def _section(service: str) -> str:
    rows = "".join(
        f"| `{metric.name}{'_total' if metric.kind == 'counter' else ''}` | {metric.kind} | {_labels(metric)} "
        f"| {metric.text} |\n"
        for metric in metrics()
        if metric.service == service
    )
    return f"\n## {TITLES[service]}\n\n| metric | type | labels | what it tells |\n|---|---|---|---|\n{rows}"


def _labels(metric: Metric) -> str:
    return "; ".join(f"`{name}`{_told(values)}" for name, values in metric.values.items())


def _told(values: tuple[str, ...]) -> str:
    return f": {', '.join(values)}" if 0 < len(values) <= FEW else ""


if __name__ == "__main__":
    if sys.argv[1:] == ["tell"]:
        print(json.dumps([asdict(metric) for service in FOLDERS for metric in _of_service(service)]))
    else:
        PAGE.write_text(page())
