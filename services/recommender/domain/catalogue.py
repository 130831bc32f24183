"""The companies of an index by code, by category and by what is paid to them; built once when it is loaded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.bundle import CompanyTable
from services.contracts.ranking import IntArray


@dataclass(frozen=True, slots=True)
class Catalogue:
    """dense_ids: by company code; members: dense ids by category; log_amounts: (companies,), NaN where unknown."""

    table: CompanyTable
    dense_ids: Mapping[str, int]
    members: Mapping[int, IntArray]
    log_amounts: NDArray[np.float64]

    @classmethod
    def of(cls, table: CompanyTable) -> "Catalogue":
        """ValueError when two companies have one code."""
        dense_ids = {code: dense for dense, code in enumerate(table.company_code)}
        if len(dense_ids) != len(table.company_code):
            raise ValueError("two companies have the same company_code")
        return cls(table, dense_ids, _members(table.category_id), _log_amounts(table.average_amount))

    def known(self, codes: Iterable[str]) -> list[int]:
        """Dense ids of the codes that the index knows, each once, in the order given."""
        found = (self.dense_ids.get(code) for code in dict.fromkeys(codes))
        return [dense for dense in found if dense is not None]

    def mask(self, category_ids: tuple[int, ...], company_codes: tuple[str, ...] = ()) -> NDArray[np.bool_] | None:
        """(companies,): which are of one of the categories and among the codes; empty ones do not filter.

        None, no filter at all, when nothing is named.
        """
        if not category_ids and not company_codes:
            return None
        named = np.array(self.known(company_codes), dtype=np.int64)
        of_categories = [self.members[each] for each in self.members.keys() & set(category_ids)]
        if not category_ids:
            return self._marked(named)
        found = self._marked(*of_categories)
        return found & self._marked(named) if company_codes else found

    def _marked(self, *groups: NDArray[np.signedinteger]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.table.company_code), dtype=np.bool_)
        for group in groups:
            mask[group] = True
        return mask


def _members(category_ids: tuple[int | None, ...]) -> dict[int, IntArray]:
    groups: dict[int, list[int]] = {}
    for dense, category in enumerate(category_ids):
        if category is not None:
            groups.setdefault(category, []).append(dense)
    return {category: np.array(group, dtype=np.int32) for category, group in groups.items()}


def _log_amounts(amounts: tuple[float | None, ...]) -> NDArray[np.float64]:
    known = [amount if amount is not None and 0 < amount < np.inf else np.nan for amount in amounts]
    return np.log(np.array(known, dtype=np.float64))
