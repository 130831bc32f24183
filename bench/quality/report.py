"""The figures of an evaluation: JSON for programs, a table for people."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from rich.console import Group
from rich.table import Table

from bench.quality.ablation import WHOLE
from bench.quality.trial import Trial
from services.contracts.bundle import IndexManifest
from services.indexer.domain.evaluation import TASKS, Estimate, Scores, Task, estimate, paired_difference

OURS, BASE = "afin", "popularity"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of each method, what it showed in each task that it is made for.
Found = Mapping[str, Mapping[Task, Scores]]


def trial_figures(trial: Trial) -> dict[str, Any]:
    """What the methods were shown, and who judges them."""
    before, after = trial.split.before, trial.split.after
    return {
        "name": trial.name,
        "payments": len(before) + len(after),
        "train_payments": len(before),
        "train_companies": trial.known,
        "train_clients": len(np.unique(before.client)),
        "cut": (EPOCH + timedelta(microseconds=trial.split.cut)).isoformat(),
        "judges": {task: len(relevant) for task, relevant in trial.relevant.items()},
    }


def index_figures(manifest: IndexManifest) -> dict[str, Any]:
    """What the training chose by itself, by which evidence, and what it found on its own hold-out before the cut."""
    told = manifest.model_dump(mode="json", include={"choice", "quality"})
    return {"choice": told["choice"], "holdout": told["quality"]}


def methods_figures(found: Found) -> dict[str, Any]:
    """By method and task; `against_…`: the mean difference of NDCG, client by client, with its interval."""
    return {name: {task: _figures(found, name, task) for task in by_task} for name, by_task in found.items()}


def ablation_figures(found: Found) -> dict[str, Any]:
    """By variant and task; `gain`: what it has more than the whole model, client by client, with its interval."""
    whole = found[WHOLE]
    return {
        name: {
            task: {"ndcg": float(scores.ndcg.mean()), "gain": _told(paired_difference(scores.ndcg, whole[task].ndcg))}
            for task, scores in by_task.items()
        }
        for name, by_task in found.items()
    }


def _figures(found: Found, name: str, task: Task) -> dict[str, Any]:
    scores = found[name][task]
    ndcg, recall = estimate(scores.ndcg), estimate(scores.recall)
    figures: dict[str, Any] = {
        "ndcg": ndcg.mean,
        "ndcg_interval": [ndcg.low, ndcg.high],
        "recall": recall.mean,
        "recall_interval": [recall.low, recall.high],
        "recall_capped": float(scores.recall_capped.mean()),
        "hit": float(scores.hit.mean()),
        "coverage": scores.coverage,
        "clients": len(scores.ndcg),
    }
    for other in (BASE, OURS):
        if other != name and other in found:
            figures[f"against_{other}"] = _told(paired_difference(scores.ndcg, found[other][task].ndcg))
    return figures


def _told(difference: Estimate) -> dict[str, Any]:
    return {"ndcg": difference.mean, "interval": [difference.low, difference.high]}


def shown(figures: Mapping[str, Any]) -> Group:
    """A table a task, the best method first, with its gain to popularity; then the search."""
    search = ", ".join(f"{name} {value}" for name, value in figures["search"].items())
    tables = (_table(figures["methods"], task, figures["k"]) for task in TASKS)
    return Group(*tables, f"search: {search}")


def _table(methods: Mapping[str, Any], task: Task, k: int) -> Table:
    table = Table(task, f"NDCG@{k}", "interval", "recall", "hit", "coverage", "gain")
    judged = {name: by_task[task] for name, by_task in methods.items() if task in by_task}
    for name, found in sorted(judged.items(), key=lambda each: -each[1]["ndcg"]):
        low, high = found["ndcg_interval"]
        against = found.get(f"against_{BASE}")
        table.add_row(
            name,
            f"{found['ndcg']:.4f}",
            f"{low:.3f}-{high:.3f}",
            *(f"{found[figure]:.3f}" for figure in ("recall", "hit", "coverage")),
            f"{against['ndcg']:+.3f}" if against else "",
            style="bold" if name == OURS else None,
        )
    return table
