"""How good a model is beside plain popularity, on what the evaluation held back from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np

from services.contracts.bundle import Quality, TaskQuality
from services.contracts.factors import Factors, IntArray, Nearest, padded
from services.contracts.ranking import Query, rank
from services.indexer.domain.embedding import FloatArray
from services.indexer.domain.evaluation import (
    LIST_LENGTH,
    TASKS,
    Relevant,
    Scores,
    Task,
    estimate,
    paired_difference,
    relevant_companies,
    score_lists,
)
from services.indexer.domain.model import Model
from services.indexer.domain.payments import Split

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Makes the search for neighbours that serves, from padded vectors.
Indexing = Callable[[FloatArray], Nearest]


@dataclass(frozen=True, slots=True)
class TaskScores:
    """Of the model and of popularity, for the same clients."""

    clients: tuple[int, ...]
    ours: Scores
    popular: Scores

    def quality(self) -> TaskQuality:
        """The means, with intervals."""
        ndcg, gain = estimate(self.ours.ndcg), paired_difference(self.ours.ndcg, self.popular.ndcg)
        return TaskQuality(
            ndcg=ndcg.mean,
            ndcg_low=ndcg.low,
            ndcg_high=ndcg.high,
            recall=float(self.ours.recall.mean()),
            hit=float(self.ours.hit.mean()),
            coverage=self.ours.coverage,
            clients=len(self.clients),
            popularity_ndcg=float(self.popular.ndcg.mean()),
            gain=gain.mean,
            gain_low=gain.low,
            gain_high=gain.high,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """`clients`: who was judged, ascending; `ndcg`: (judged, 2), for new and for any company, NaN where not judged."""

    quality: Quality
    clients: IntArray
    ndcg: FloatArray


def ranked_lists(model: Model, factors: Factors, clients: Sequence[int], task: Task) -> list[list[int]]:
    """What the recommender would answer, as numbers of companies."""
    query = Query(LIST_LENGTH, include_paid=task == "any")
    numbers = model.companies.numbers
    answers = (rank(factors, model.histories.of(client), query) for client in clients)
    return [[int(numbers[place.company]) for place in answer] for answer in answers]


def popular_lists(model: Model, clients: Sequence[int], task: Task) -> list[list[int]]:
    """The rival: companies by number of distinct clients, but for `new` those that the client paid."""
    lists = []
    for client in clients:
        paid = frozenset(model.histories.of(client).companies.tolist()) if task == "new" else frozenset()
        fresh = (int(j) for j in model.companies.popular if int(j) not in paid)
        lists.append([int(model.companies.numbers[j]) for j in islice(fresh, LIST_LENGTH)])
    return lists


def score_task(model: Model, factors: Factors, relevant: Relevant, task: Task) -> TaskScores | None:
    """None without a client to judge by."""
    if not relevant:
        return None
    clients, wanted = tuple(relevant), list(relevant.values())
    companies = len(model.companies.numbers)
    ours = score_lists(ranked_lists(model, factors, clients, task), wanted, companies)
    popular = score_lists(popular_lists(model, clients, task), wanted, companies)
    return TaskScores(clients, ours, popular)


def judge(model: Model, split: Split, indexing: Indexing, limit: int) -> Judgement:
    """Both tasks, by at most `limit` clients each. `model` was made of the payments before the cut alone."""
    factors = model.served_through(indexing(padded(model.target)))
    scores = [score_task(model, factors, relevant_companies(split, task, limit), task) for task in TASKS]
    new, any_company = (each.quality() if each else None for each in scores)
    cut = EPOCH + timedelta(microseconds=split.cut)
    return Judgement(Quality(k=LIST_LENGTH, cut=cut, new=new, any=any_company), *_by_client(scores))


def _by_client(scores: Sequence[TaskScores | None]) -> tuple[IntArray, FloatArray]:
    clients = np.unique([client for each in scores if each for client in each.clients]).astype(np.int32)
    ndcg = np.full((len(clients), len(scores)), np.nan, dtype=np.float32)
    for column, each in enumerate(scores):
        if each:
            ndcg[np.searchsorted(clients, each.clients), column] = each.ours.ndcg
    return clients, ndcg
