"""Which of companies in order make a list: the step after scoring, in which nothing is scored anew.

A limit of categories lets the first few of each category in. So of a whole catalogue few need be looked at.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_CATEGORY = -1

# So many of the best companies are looked at before all are.
FEW = 2000

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` companies of one category. category_of: (companies,), a number for each, NO_CATEGORY for none.

    Companies without a category are not limited.
    """

    category_of: NDArray[np.int32]
    most: int

    def first(self, companies: NDArray[np.signedinteger]) -> Mask:
        """(n,): which of companies, best first, are among the first of their category."""
        return self._places(companies) < self.most

    def may_be_first(self, companies: Ints, lower: Floats, doubt: Floats, count: int) -> tuple[Ints, int]:
        """Rows of companies that may be among the first of their category, and how many of them may not be.

        Of the best companies alone, where they surely give `count` places. lower: scores less their doubt, by which
        they may be wrong. A score that is not above twice its doubt may be nothing but rounding, see scoring.
        """
        rows = np.flatnonzero(lower > 0)
        few = max(FEW, 4 * count)
        if len(rows) > few:
            least = np.partition(lower[rows], -few)[-few]
            found = self._may_be_first(companies, lower, doubt, rows[(lower + 2 * doubt)[rows] >= least], least)
            if len(found[0]) - found[1] >= count:
                return found
        return self._may_be_first(companies, lower, doubt, rows, np.float32(0))

    def _may_be_first(
        self, companies: Ints, lower: Floats, doubt: Floats, rows: Ints, least: np.float32
    ) -> tuple[Ints, int]:
        """Of rows; sure are those whose score is at least `least`, and no rounding."""
        sure = rows[(lower[rows] > 2 * doubt[rows]) & (lower[rows] >= least)]
        sure = sure[np.argsort(-lower[sure], kind="stable")]
        places = self._places(companies[sure])
        lasts = sure[places == self.most - 1]
        bounds = np.full(self._categories, -np.inf, dtype=np.float32)
        bounds[self.category_of[companies[lasts]]] = lower[lasts]
        bounds[NO_CATEGORY] = -np.inf
        kept = rows[lower[rows] + 2 * doubt[rows] >= bounds[self.category_of[companies[rows]]]]
        return kept, len(kept) - int(np.count_nonzero(places < self.most))

    @property
    def _categories(self) -> int:
        """And one more, the last, for companies without any."""
        return int(self.category_of.max(initial=NO_CATEGORY)) + 2

    def _places(self, companies: NDArray[np.signedinteger]) -> Ints:
        """(n,): how many of a company's category stand before it; 0 without a category."""
        categories = self.category_of[companies]
        order = np.argsort(categories, kind="stable")
        counts = np.bincount(categories - NO_CATEGORY, minlength=1)
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        places -= (np.cumsum(counts) - counts)[categories - NO_CATEGORY]
        return np.where(categories == NO_CATEGORY, 0, places)


class Chooser:
    """Admits each company once, best first, and remembers it: what fills a list goes on where the model ended."""

    def __init__(self, barred: AbstractSet[int], limit: Limit | None = None) -> None:
        self._closed = set(barred)
        self._limit = limit
        self._admitted: defaultdict[int, int] = defaultdict(int)

    def chosen(self, companies: Iterable[int]) -> Iterator[int]:
        """Those of `companies` that are admitted, lazily, in their order."""
        return (company for company in companies if self.admits(company))

    def admits(self, company: int) -> bool:
        """Whether it may stand on the list behind those admitted before; if so, it does."""
        if company in self._closed or not (self._limit is None or self._has_room(self._limit, company)):
            return False
        self._closed.add(company)
        return True

    def promising(self, companies: NDArray[np.int32]) -> NDArray[np.int32]:
        """Of companies, best first, those that may still be admitted: few of many under a limit."""
        if self._limit is None:
            return companies
        is_closed = np.zeros(len(self._limit.category_of), dtype=np.bool_)
        is_closed[list(self._closed)] = True
        still_open = companies[~is_closed[companies]]
        return still_open[self._limit.first(still_open)]

    def _has_room(self, limit: Limit, company: int) -> bool:
        category = limit.category_of.item(company)
        if category == NO_CATEGORY:
            return True
        self._admitted[category] += 1
        return self._admitted[category] <= limit.most
