"""How many nodes Annoy is to look at: the fewest that find nearly all of what an exact search finds.

Measured when an index is built, by what is found and never by time, so that the same rows give the same bundle.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from services.contracts.factors import Factors, History, Nearest
from services.contracts.ranking import Query, rank
from services.indexer.domain.evaluation import LIST_LENGTH
from services.indexer.domain.soundness import found_share

# Of the best ten of an exact search; a validation refuses what finds less than soundness.MIN_FOUND.
ENOUGH_FOUND = 0.993
EFFORTS = (100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200)
BASKET_SIZES = (1, 3)


def search_effort(factors: Factors, histories: Sequence[History], nearest: Callable[[int], Nearest]) -> int:
    """The first of EFFORTS at which enough is found, or the last. Asked are these clients, and baskets as theirs.

    factors: as they are searched exactly; nearest: the search that looks at so many nodes.
    """
    asked = [*histories, *(basket for size in BASKET_SIZES for basket in _baskets(histories, size))]
    if not asked or not len(factors.target):
        return EFFORTS[0]
    query = Query(LIST_LENGTH)
    best = [rank(factors, history, query) for history in asked]
    for effort in EFFORTS[:-1]:
        searched = replace(factors, nearest=nearest(effort))
        if found_share([rank(searched, history, query) for history in asked], best) >= ENOUGH_FOUND:
            return effort
    return EFFORTS[-1]


def _baskets(histories: Sequence[History], size: int) -> Iterator[History]:
    """The companies of a history that weigh most, all of one weight."""
    for history in histories:
        heaviest = np.sort(np.argsort(-history.weights, kind="stable")[:size])
        yield History(history.companies[heaviest], np.ones(len(heaviest), np.float32), history.habits[heaviest])
