"""All methods on one trial: same clients, same places, same scores."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.quality import classic
from bench.quality.outside import outside
from bench.quality.paid import Paid, Ranker, paid_of
from bench.quality.prototype import prototype
from bench.quality.trial import Trial
from services.indexer.domain.evaluation import TASKS, Scores, Task, score_lists

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Entrant:
    """A method by name; `make` fits it on what was paid before the cut."""

    name: str
    make: Callable[[], Ranker]
    tasks: tuple[Task, ...] = TASKS


def rivals(trial: Trial, python: Path | None) -> Iterator[Entrant]:
    """Those that need packages of their own only where their environment's `python` is given."""
    paid = paid_of(trial.split.before)
    yield Entrant("popularity", lambda: classic.popularity(paid))
    yield Entrant("prototype", lambda: prototype(trial.split.before, trial.catalogue, paid))
    yield Entrant("item_knn", lambda: classic.item_knn(paid))
    yield Entrant("user_knn", lambda: classic.user_knn(paid))
    yield Entrant("ease", lambda: classic.ease(paid))
    yield Entrant("own_history", lambda: classic.own_history(paid), tasks=("any",))
    if python:
        yield from (_outside(python, name, paid) for name in ("bm25", "als"))


def _outside(python: Path, name: str, paid: Paid) -> Entrant:
    return Entrant(name, lambda: outside(python, name, paid))


def evaluate(entrant: Entrant, trial: Trial, k: int, say: Say) -> Mapping[Task, Scores]:
    """What the method shows in each of its tasks that somebody can judge."""
    begun = time.perf_counter()
    ranks = entrant.make()
    found = {task: _scores(ranks, trial, task, k) for task in entrant.tasks if trial.relevant[task]}
    told = ", ".join(f"{task} NDCG@{k} {scores.ndcg.mean():.4f}" for task, scores in found.items())
    say(f"{entrant.name}: {told} ({time.perf_counter() - begun:.0f} s)")
    return found


def _scores(ranks: Ranker, trial: Trial, task: Task, k: int) -> Scores:
    relevant = trial.relevant[task]
    return score_lists(ranks(np.array(list(relevant)), task, k), list(relevant.values()), trial.known, k)
