"""Why a list has the strategy that it has."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from services.contracts.factors import History
from services.contracts.ranking import POPULAR


class Cause(Enum):
    """What decided about the strategy of a list."""

    HISTORY = auto()  # it speaks for the first place
    CLIENT_UNKNOWN = auto()  # the index does not know the client, or none of the basket
    HISTORY_NOT_INDEXED = auto()  # the model knows no company of the history
    NOTHING_LEFT = auto()  # the history speaks for none of the companies asked for
    POPULARITY_LEADS = auto()  # the first place would be so without the history


@dataclass(frozen=True, slots=True)
class Explanation:
    """history_companies, history_indexed: of the history, how many the index and its model know.

    `popular_from`: the place, counted from 1, from which popular companies fill the list; 0 when none had to.
    """

    cause: Cause
    history_companies: int
    history_indexed: int
    popular_from: int


def explain(history: History | None, indexed: int, kinds: bytes, *, popular_leads: bool) -> Explanation:
    """`history`: None for a client that is not known; `indexed`: how many companies the model knows.

    `kinds`: of the places, see ranking; `popular_leads`: of the first place, that only its popularity speaks for it.
    """
    fill = kinds.find(POPULAR) + 1
    if history is None:
        return Explanation(Cause.CLIENT_UNKNOWN, 0, 0, fill)
    known = int(np.count_nonzero(history.companies < indexed))
    if kinds and kinds[0] != POPULAR:
        cause = Cause.POPULARITY_LEADS if popular_leads else Cause.HISTORY
    else:
        cause = Cause.NOTHING_LEFT if known else Cause.HISTORY_NOT_INDEXED
    return Explanation(cause, len(history.companies), known, fill)
