"""How good lists of companies are, judged on the last part of time, which the judged model never saw.

Relevant are the companies that a client pays after the cut: those never paid before it (`new`), or all (`any`).
Companies that nobody paid before the cut are left out. Judged are the clients with a payment before the cut and a
relevant company after it. Binary relevance; 95 % intervals from resampling clients.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal

import numpy as np

from services.contracts.bundle import Quality, TaskQuality
from services.contracts.ranking import Factors, Nearest, Query, padded, rank
from services.indexer.domain.embedding import FloatArray
from services.indexer.domain.model import Model
from services.indexer.domain.payments import Split, pairs_of
from services.indexer.domain.weighting import Floats

LIST_LENGTH = 10
CUT_SHARE = 0.8
RESAMPLES = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Task = Literal["new", "any"]
# Makes the search for neighbours that serves, from padded vectors.
Indexing = Callable[[FloatArray], Nearest]


@dataclass(frozen=True, slots=True)
class Scores:
    """A number a client, in one order, and the share of the companies known before the cut that was recommended."""

    ndcg: Floats
    recall: Floats
    hit: Floats
    coverage: float


@dataclass(frozen=True, slots=True)
class Panel:
    """At most `limit` clients are judged, chosen by `seed`: a bound on the time that judging takes."""

    limit: int
    seed: int

    def of(self, relevant: dict[int, frozenset[int]]) -> dict[int, frozenset[int]]:
        """All of them, or those chosen, in the order given."""
        if len(relevant) <= self.limit:
            return relevant
        clients = np.array(list(relevant))
        chosen = np.random.default_rng(self.seed).choice(len(clients), self.limit, replace=False)
        return {client: relevant[client] for client in clients[np.sort(chosen)].tolist()}


def relevant_companies(split: Split, task: Task) -> dict[int, frozenset[int]]:
    """The relevant companies of every judged client, by client."""
    before, after = pairs_of(split.before), pairs_of(split.after)
    fits = np.isin(after.client, before.client) & np.isin(after.company, before.company)
    if task == "new":
        code = np.int64(split.before.companies)
        fits &= ~np.isin(after.client * code + after.company, before.client * code + before.company)
    found: dict[int, set[int]] = {}
    for client, company in zip(after.client[fits].tolist(), after.company[fits].tolist(), strict=True):
        found.setdefault(client, set()).add(company)
    return {client: frozenset(companies) for client, companies in found.items()}


def score_lists(lists: Sequence[Sequence[int]], relevant: Sequence[frozenset[int]], companies: int) -> Scores:
    """Scores of one list a client, best first, without duplicates. `companies`: how many were known before the cut."""
    discounts = 1.0 / np.log2(np.arange(2, LIST_LENGTH + 2))
    ideal = np.cumsum(discounts)
    hits = np.zeros((len(lists), LIST_LENGTH))
    for row, (ranked, wanted) in enumerate(zip(lists, relevant, strict=True)):
        hits[row, : len(ranked)] = [company in wanted for company in ranked]
    sizes = np.array([len(wanted) for wanted in relevant])
    best = ideal[np.minimum(sizes, LIST_LENGTH) - 1]
    recommended = {company for ranked in lists for company in ranked}
    return Scores(
        hits @ discounts / best, hits.sum(axis=1) / sizes, hits.max(axis=1), len(recommended) / max(companies, 1)
    )


def interval(values: Floats) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean."""
    chosen = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[chosen].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


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


def judge_task(model: Model, factors: Factors, relevant: dict[int, frozenset[int]], task: Task) -> TaskQuality | None:
    """Quality beside popularity's, client by client; None without a client to judge by."""
    if not relevant:
        return None
    clients, wanted = list(relevant), list(relevant.values())
    companies = len(model.companies.numbers)
    ours = score_lists(ranked_lists(model, factors, clients, task), wanted, companies)
    rival = score_lists(popular_lists(model, clients, task), wanted, companies)
    low, high = interval(ours.ndcg)
    gain_low, gain_high = interval(ours.ndcg - rival.ndcg)
    return TaskQuality(
        ndcg=float(ours.ndcg.mean()),
        ndcg_low=low,
        ndcg_high=high,
        recall=float(ours.recall.mean()),
        hit=float(ours.hit.mean()),
        coverage=ours.coverage,
        clients=len(clients),
        popularity_ndcg=float(rival.ndcg.mean()),
        gain=float((ours.ndcg - rival.ndcg).mean()),
        gain_low=gain_low,
        gain_high=gain_high,
    )


def judge(model: Model, split: Split, indexing: Indexing, panel: Panel) -> Quality:
    """Both tasks. `model` was made of the payments before the cut alone."""
    factors = model.served_through(indexing(padded(model.target)))
    new = judge_task(model, factors, panel.of(relevant_companies(split, "new")), "new")
    any_company = judge_task(model, factors, panel.of(relevant_companies(split, "any")), "any")
    return Quality(k=LIST_LENGTH, cut=EPOCH + timedelta(microseconds=split.cut), new=new, any=any_company)
