"""The dashboards drawn from what a Prometheus answers, for who has no Grafana at hand: a page of HTML each."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from console.rendering import STATIC, Renderer
from console.views.charts import Plot, Series, Value, line_plot
from services.runtime.clock import utc_now
from tests.e2e.prometheus import Prometheus
from tests.unit.deploy.monitoring.promql import DASHBOARDS, Expression, dashboard, panels

STEP_SECONDS = 5
# As many colours as the console has for kinds.
COLOURS = 12
PAGE = """
{% from "_macros.html" import plot %}
<!doctype html><meta charset="utf-8"><title>{{ title }}</title>
<style>{{ style|safe }}
body { display: grid; grid-template-columns: repeat(2, 1fr); gap: 0 2rem; padding: 1rem; max-width: 1150px; }
h1 { grid-column: 1 / -1; } figure { margin: 0 0 1rem; }
{% for number in range(colours) %}
.c{{ number }} { stroke: var(--k{{ number }}); fill: var(--k{{ number }}); color: var(--k{{ number }}); }
{% endfor %}
circle.dot { r: 1px; }
</style><body><h1>{{ title }}</h1>
{% for chart in plots %}{{ plot(chart) }}{% endfor %}
"""


def draw_dashboards(prometheus: Prometheus, folder: Path, minutes: int = 3) -> dict[str, list[Plot]]:
    """Writes `<dashboard>.html` for each into the folder; gives what was drawn: panels that show lines over time."""
    folder.mkdir(parents=True, exist_ok=True)
    page, style = Renderer(utc_now)._environment.from_string(PAGE), (STATIC / "console.css").read_text()
    end = time.time() // STEP_SECONDS * STEP_SECONDS
    times = [end - STEP_SECONDS * ago for ago in reversed(range(60 * minutes // STEP_SECONDS))]
    drawn = {
        path.stem: [_plot(prometheus, each, times) for each in panels(path) if each["type"] == "timeseries"]
        for path in DASHBOARDS
    }
    for path in DASHBOARDS:
        words = {"title": dashboard(path)["title"], "plots": drawn[path.stem], "style": style, "colours": COLOURS}
        (folder / f"{path.stem}.html").write_text(page.render(words))
    return drawn


def _plot(prometheus: Prometheus, panel: dict[str, Any], times: list[float]) -> Plot:
    series = list(_series(prometheus, panel, times))
    columns = [time.strftime("%H:%M:%S", time.gmtime(each)) for each in times]
    return line_plot(panel["title"], series, columns, lambda value: f"{value:.4g}")


def _series(prometheus: Prometheus, panel: dict[str, Any], times: list[float]) -> Iterator[Series]:
    number = 0
    for target in panel["targets"]:
        expression = Expression(panel["title"], target["expr"]).plain()
        for found in prometheus.ask_over(expression, times[0], times[-1], STEP_SECONDS):
            known = {float(at): float(value) for at, value in found["values"] if math.isfinite(float(value))}
            if not known:
                continue
            name = _name(target.get("legendFormat", ""), found["metric"])
            yield Series(name, f"c{number % COLOURS}", [Value(known.get(at), name) for at in times])
            number += 1


def _name(form: str, labels: dict[str, str]) -> str:
    for label, value in labels.items():
        form = form.replace("{{" + label + "}}", value)
    return form or ", ".join(labels.values())
