"""The companies of an index by code, by category and by what is paid to them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.contracts.choosing import NO_CATEGORY
from services.contracts.companies import CompanyTable
from services.contracts.factors import IntArray


@dataclass(frozen=True, slots=True)
class Catalogue:
    """log_amounts: of what is paid on average, (companies,), NaN where that is unknown.

    category_of: (companies,), a number for each category id; see choosing.Limit.
    """

    table: CompanyTable
    log_amounts: NDArray[np.float64]
    category_of: IntArray
    _found: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, table: CompanyTable) -> "Catalogue":
        """Of a sound table."""
        amounts = table.rows["average_amount"]
        known = (amounts > 0) & (amounts < np.inf)
        return cls(table, np.log(amounts, where=known, out=np.full(len(amounts), np.nan)), _category_of(table))

    def known(self, codes: Iterable[str]) -> list[int]:
        """Dense ids of the codes that the index knows, each once, in the order given."""
        kept, found = self._found, []
        for code in dict.fromkeys(codes):
            company = kept.get(code)
            if company is None:
                company = self.table.find(code)
                if company is None:
                    continue
                kept[code] = company  # which makes the next look a hundred times as quick
            found.append(company)
        return found

    def mask(self, category_ids: tuple[int, ...], company_codes: tuple[str, ...] = ()) -> NDArray[np.bool_] | None:
        """(companies,): which are of one of the categories and among the codes; empty ones do not filter.

        None, no filter at all, when nothing is named.
        """
        if not category_ids and not company_codes:
            return None
        if not company_codes:
            return self.table.in_categories(category_ids)
        named = np.zeros(len(self.table), dtype=np.bool_)
        named[self.known(company_codes)] = True
        return named & self.table.in_categories(category_ids) if category_ids else named


def _category_of(table: CompanyTable) -> IntArray:
    """One id may stand in several rows of the categories, under other names; the last number is that of no row."""
    numbers = np.full(len(table.categories) + 1, NO_CATEGORY, dtype=np.int32)
    has_id = np.flatnonzero(table.categories["has_id"])
    numbers[has_id] = np.unique(table.categories["category_id"][has_id], return_inverse=True)[1]
    category_of: IntArray = numbers[table.rows["category"]]
    return category_of
