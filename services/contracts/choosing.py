"""Which of companies in order make a list: the step after scoring, in which nothing is scored anew."""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

NO_CATEGORY = -1


class Chooser:
    """Admits each company once, best first, and remembers it: what fills a list goes on where the model came to an end.

    category_of: (companies,), a number for each category, NO_CATEGORY for none; `most`: companies of one category that
    are admitted, 0 for any number. Companies without a category are not limited.
    """

    def __init__(self, barred: AbstractSet[int], category_of: NDArray[np.int32] | None = None, most: int = 0) -> None:
        self._closed = set(barred)
        self._category_of = category_of if most else None
        self._most = most
        self._admitted: Counter[int] = Counter()

    def chosen(self, companies: Iterable[int]) -> Iterator[int]:
        """Those of `companies` that are admitted, lazily, in their order."""
        return (company for company in companies if self.admits(company))

    def admits(self, company: int) -> bool:
        """Whether it may stand on the list behind those admitted before; if so, it does."""
        if company in self._closed or not self._has_room(company):
            return False
        self._closed.add(company)
        return True

    def _has_room(self, company: int) -> bool:
        if self._category_of is None:
            return True
        category = int(self._category_of[company])
        if category == NO_CATEGORY:
            return True
        self._admitted[category] += 1
        return self._admitted[category] <= self._most
