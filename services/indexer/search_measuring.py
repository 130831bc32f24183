"""What the search through Annoy finds of what an exact search finds, and what a query costs either way.

Times are of this machine at this moment: they may stand in a validation, never in a bundle.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.contracts.factors import Factors, History
from services.contracts.ranking import Query, Ranked, rank
from services.indexer.domain.evaluation import LIST_LENGTH
from services.indexer.domain.soundness import found_share


@dataclass(frozen=True, slots=True)
class SearchFigures:
    """Recall of lists of ten new companies; microseconds of ranking one client, without the reasons given."""

    recall_at_10: float
    annoy_p50_us: float
    annoy_p99_us: float
    exact_p50_us: float
    exact_p99_us: float


def measure_search(factors: Factors, histories: Sequence[History]) -> SearchFigures:
    """`factors`: with the search through Annoy; `histories`: of one or more clients."""
    exact = replace(factors, nearest=None)
    served, annoy = _asked(factors, histories)
    best, exactly = _asked(exact, histories)
    cost = [round(float(value), 1) for each in (annoy, exactly) for value in np.percentile(each, [50, 99])]
    return SearchFigures(round(found_share(served, best), 4), *cost)


def _asked(factors: Factors, histories: Sequence[History]) -> tuple[list[list[Ranked]], list[float]]:
    query = Query(LIST_LENGTH)
    lists, microseconds = [], []
    for history in histories:
        begun = time.perf_counter_ns()
        lists.append(rank(factors, history, query))
        microseconds.append((time.perf_counter_ns() - begun) / 1000)
    return lists, microseconds
