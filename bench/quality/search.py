"""What the search through Annoy finds of what an exact search finds, and what a query costs either way."""

import time
from dataclasses import asdict, dataclass, replace

import numpy as np

from services.contracts.ranking import Factors, History, Query, padded, rank
from services.contracts.searching import exactly_nearest
from services.indexer.domain.evaluation import LIST_LENGTH
from services.recommender.domain.snapshot import Snapshot

MOST_CLIENTS = 1_000


@dataclass(frozen=True, slots=True)
class SearchFigures:
    """Recall of lists of ten among new companies; microseconds of ranking one client, without the reasons given."""

    recall_at_10: float
    annoy_p50_us: float
    annoy_p99_us: float
    exact_p50_us: float
    exact_p99_us: float

    def rounded(self) -> dict[str, float]:
        """By name, for a report."""
        return {name: round(value, 4 if name == "recall_at_10" else 1) for name, value in asdict(self).items()}


def measure_search(snapshot: Snapshot, client_ids: list[str]) -> SearchFigures:
    """By these clients of the index, the first 1,000 of them."""
    found = (snapshot.clients.find(client) for client in client_ids[:MOST_CLIENTS])
    histories = [history for history in found if history]
    through_annoy = snapshot.factors
    exact = replace(through_annoy, nearest=exactly_nearest(padded(through_annoy.target)))
    ours, annoy = _asked(through_annoy, histories)
    truth, exactly = _asked(exact, histories)
    shares = [len(set(a) & set(b)) / max(len(b), 1) for a, b in zip(ours, truth, strict=True)]
    cost = [*np.percentile(annoy, [50, 99]).tolist(), *np.percentile(exactly, [50, 99]).tolist()]
    return SearchFigures(float(np.mean(shares)) if shares else 1.0, *cost)


def _asked(factors: Factors, histories: list[History]) -> tuple[list[list[int]], list[float]]:
    query, lists, microseconds = Query(LIST_LENGTH), [], []
    for history in histories:
        begun = time.perf_counter_ns()
        places = rank(factors, history, query)
        microseconds.append((time.perf_counter_ns() - begun) / 1000)
        lists.append([place.company for place in places])
    return lists, microseconds
