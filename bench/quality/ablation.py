"""What each piece of the model brings, and what the prototype's features would: the exact lists with and without it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np

from bench.quality.features import Features, features_of
from bench.quality.paid import Floats, best
from bench.quality.trial import Trial
from services.contracts.bundle import Tuning
from services.indexer.domain.evaluation import LIST_LENGTH, Scores, Task, score_lists
from services.indexer.domain.habits import learn_habits
from services.indexer.domain.judging import ranked_lists
from services.indexer.domain.model import Known, Model, Shape, prepare

# As the indexer is set unless it is told otherwise.
SHAPE = Shape(dimension=128, min_clients=2, seed=0)
WHOLE = "whole"
CLIENTS_AT_ONCE = 256
# How much of a feature stands beside the score, in spreads of either over a client's companies.
FEATURE_WEIGHT = 0.2
MOST_JUDGES = 2_000

Lists = list[list[int]]


@dataclass(frozen=True, slots=True)
class Variant:
    """A name that tells what is otherwise, and the lists for the judges of a task."""

    name: str
    task: Task
    lists: Callable[[], Lists]


def ablation(trial: Trial, tuning: Tuning, say: Callable[[str], None]) -> Mapping[str, Mapping[Task, Scores]]:
    """By variant and task; `whole` is the model of this tuning as it is."""
    found: dict[str, dict[Task, Scores]] = {}
    few = {task: dict(islice(relevant.items(), MOST_JUDGES)) for task, relevant in trial.relevant.items()}
    trial = replace(trial, relevant=few)
    for variant in _variants(trial, tuning):
        relevant = list(trial.relevant[variant.task].values())
        scores = score_lists(variant.lists(), relevant, trial.known)
        found.setdefault(variant.name, {})[variant.task] = scores
        say(f"{variant.name}: {variant.task} NDCG@{LIST_LENGTH} {scores.ndcg.mean():.4f}")
    return found


def _variants(trial: Trial, tuning: Tuning) -> Iterator[Variant]:
    before = trial.split.before
    listed = np.unique(before.company).astype(np.int64)
    habits = learn_habits(before)
    known = Known(before, listed, habits)
    strengths = replace(known, habits=replace(habits, learnt=None))
    whole = _made(known, tuning)
    yield from _of_model(trial, WHOLE, whole, ("new", "any"))
    yield from _of_model(trial, "habits not learnt", _made(strengths, tuning), ("any",))
    for name in ("decay", "trend", "popularity"):
        plain = tuning.model_copy(update={name: None if name == "decay" else 0.0})
        if plain != tuning:
            yield from _of_model(trial, f"without {name}", _made(known, plain), ("new",))
    for feature, values in features_of(trial, whole).items() if trial.relevant["new"] else ():
        yield Variant(f"with {feature}", "new", partial(_with_feature, trial, whole, values))


def _made(known: Known, tuning: Tuning) -> Model:
    return prepare(known, SHAPE, tuning.decay).model(tuning)


def _of_model(trial: Trial, name: str, model: Model, tasks: tuple[Task, ...]) -> Iterator[Variant]:
    factors = model.served_through(None)
    for task in tasks:
        clients = list(trial.relevant[task])
        if clients:
            yield Variant(name, task, partial(ranked_lists, model, factors, clients, task))


def _with_feature(trial: Trial, model: Model, values: Features) -> Lists:
    clients = np.array(list(trial.relevant["new"]), dtype=np.int64)
    paid = model.histories.matrix(len(model.companies.numbers))[clients]
    factors = model.served_through(None)
    lists: Lists = []
    for first in range(0, len(clients), CLIENTS_AT_ONCE):
        some = paid[first : first + CLIENTS_AT_ONCE, : model.companies.indexed]
        asked = factors.scorer.queries(some.indices, some.data, some.indptr[:-1].astype(np.int64))
        scores = (asked @ model.target.T).astype(np.float64)
        scores += FEATURE_WEIGHT * scores.std(axis=1, keepdims=True) * _standardised(values(some))
        scores[some.nonzero()] = -np.inf
        lists += [model.companies.numbers[best(row, LIST_LENGTH)].tolist() for row in scores]
    return lists


def _standardised(values: Floats) -> Floats:
    spread = np.maximum(values.std(axis=1, keepdims=True), 1e-12)
    around: Floats = (values - values.mean(axis=1, keepdims=True)) / spread
    return around
