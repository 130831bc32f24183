"""The protocol by which lists of companies are judged: on the last part of time, which their maker never saw.

Relevant are the companies that a client pays after the cut: those never paid before it (`new`), or all (`any`).
Companies that nobody paid before the cut are left out. Judged are the clients with a payment before the cut and a
relevant company after it. Binary relevance; 95 % intervals from resampling clients.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from services.indexer.domain.payments import RANGES, Mask, Pairs, Split, pairs_of
from services.indexer.domain.weighting import Floats

LIST_LENGTH = 10
CUT_SHARE = 0.8
RESAMPLES = 1000

Task = Literal["new", "any"]
TASKS: tuple[Task, ...] = ("new", "any")
# By client, ascending: the companies that were right.
Relevant = dict[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Scores:
    """A number a client, in one order, and the share of the companies known before the cut that was recommended.

    ndcg: discounted gain to the best possible; recall: hits to relevant; recall_capped: hits to the most possible in k
    places; hit: 1.0 where there is a hit.
    """

    ndcg: Floats
    recall: Floats
    recall_capped: Floats
    hit: Floats
    coverage: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over clients, with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def relevant_companies(split: Split, task: Task, limit: int | None = None) -> Relevant:
    """The relevant companies of every judged client, or of `limit` of them: a bound on the time that judging takes.

    Those are the first by number, which is the order of hashes of their ids: a sample by chance, and the same from one
    index version to the next, so that two versions can be compared client by client.
    """
    is_known = np.bincount(split.before.company, minlength=split.before.companies) > 0
    found: Relevant = {}
    for first, beyond in split.before.client_ranges(RANGES):
        if limit is None or len(found) < limit:
            before, after = (part.between_clients(first, beyond) for part in (split.before, split.after))
            found |= _relevant(pairs_of(before), pairs_of(after), is_known, task)
    return dict(islice(found.items(), limit))


def _relevant(before: Pairs, after: Pairs, is_known: Mask, task: Task) -> Relevant:
    fits = np.isin(after.client, before.client) & is_known[after.company]
    if task == "new":
        code = np.int64(len(is_known))
        fits &= ~np.isin(after.client * code + after.company, before.client * code + before.company)
    found: dict[int, set[int]] = {}
    for client, company in zip(after.client[fits].tolist(), after.company[fits].tolist(), strict=True):
        found.setdefault(client, set()).add(company)
    return {client: frozenset(companies) for client, companies in found.items()}


def score_lists(
    lists: Sequence[Sequence[int]], relevant: Sequence[frozenset[int]], companies: int, k: int = LIST_LENGTH
) -> Scores:
    """Scores of the first k places of one list a client, best first; what stands twice keeps its first place.

    `companies`: how many were known before the cut. No list may want for a relevant company.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    hits = np.zeros((len(lists), k))
    for row, (ranked, wanted) in enumerate(zip(lists, relevant, strict=True)):
        distinct = list(dict.fromkeys(ranked))[:k]
        hits[row, : len(distinct)] = [company in wanted for company in distinct]
    sizes = np.array([len(wanted) for wanted in relevant], dtype=np.int64)
    possible, found = np.minimum(sizes, k), hits.sum(axis=1)
    recommended = {company for ranked in lists for company in ranked[:k]}
    return Scores(
        ndcg=hits @ discounts / np.cumsum(discounts)[possible - 1],
        recall=found / sizes,
        recall_capped=found / possible,
        hit=hits.max(axis=1),
        coverage=len(recommended) / max(companies, 1),
    )


def estimate(values: Floats) -> Estimate:
    """Of one number a client, of one or more."""
    random = np.random.default_rng(0)
    count = len(values)
    # One resample at a time: memory that grows with the clients, not with clients x resamples.
    means = [values[random.integers(0, count, count)].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))


def paired_difference(ours: Floats, theirs: Floats) -> Estimate:
    """Of two methods' numbers of the same clients in the same order: what ours has more."""
    return estimate(ours - theirs)
