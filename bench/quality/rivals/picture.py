"""`python -m bench.quality.rivals.picture REPORT PICTURE`: the figures of a report as bars, in PNG or SVG."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt

OURS, OTHERS = "#1f6f8b", "#b8c4c9"
TITLES = {"new": "Companies never paid before", "any": "Any company"}


def main(report: Path, picture: Path) -> None:
    """One row a task: NDCG with its interval, and beside it the coverage."""
    found = json.loads(report.read_text())
    figure, axes = plt.subplots(len(TITLES), 2, figsize=(12, 9), layout="constrained", width_ratios=[3, 1])
    for (ndcg, coverage), task in zip(axes, TITLES, strict=True):
        methods = {name: each[task] for name, each in found["methods"].items() if each.get(task)}
        names = sorted(methods, key=lambda name: methods[name]["ndcg"])
        colours = [OURS if name == "afin" else OTHERS for name in names]
        _ndcg(ndcg, names, methods, colours)
        ndcg.set_title(f"{TITLES[task]}: NDCG@{found['k']}, 95 % intervals")
        coverage.barh(names, [methods[name]["coverage"] for name in names], color=colours)
        coverage.set_title(f"Coverage@{found['k']}")
        coverage.tick_params(labelleft=False)
    figure.suptitle(f"{found['data']['name']}: {found['data']['payments']:,} payments, cut at {found['data']['cut']}")
    figure.savefig(picture, dpi=120)


def _ndcg(axes: Any, names: list[str], methods: dict[str, Any], colours: list[str]) -> None:
    means = [methods[name]["ndcg"] for name in names]
    low, high = zip(*(methods[name]["ndcg_interval"] for name in names), strict=True)
    spans = [
        [mean - least for mean, least in zip(means, low, strict=True)],
        [most - mean for mean, most in zip(means, high, strict=True)],
    ]
    axes.barh(names, means, xerr=spans, color=colours, ecolor="#444444", capsize=3)
    for place, (mean, most) in enumerate(zip(means, high, strict=True)):
        axes.text(most, place, f"  {mean:.3f}", va="center")
    axes.margins(x=0.12)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
