"""The companies of an index version as arrays that are mapped, not parsed: opening them costs nothing a company.

A company's numbers are a row of `companies.npy`, by dense id. All text lies in one blob of UTF-8: codes and names by
dense id, then the names of categories. `code_keys.npy` finds a company by its code.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.contracts.texts import Texts, text_problems

# Averages are means over the training payments, NaN without any; category: a row of the categories, -1 for none;
# is_top_biller: 1, 0, or -1 where that is not known.
COMPANY_ROW = np.dtype(
    [
        ("company_id", "<i8"),
        ("average_amount", "<f8"),
        ("average_days_between", "<f8"),
        ("category", "<i4"),
        ("is_top_biller", "<i4"),
    ]
)
# A category may want for an id, or for a name.
CATEGORY_ROW = np.dtype([("category_id", "<i8"), ("has_id", "<i4"), ("has_name", "<i4")])
NO_CATEGORY = -1
KEY_BYTES = 8


@dataclass(frozen=True, slots=True)
class CompanyTable:
    """The companies by dense id. rows: (companies,) of COMPANY_ROW; categories: of CATEGORY_ROW.

    texts: companies' codes, their names, then categories' names. code_keys: ascending keys of the codes;
    code_companies: the dense id of each.
    """

    rows: NDArray[np.void]
    categories: NDArray[np.void]
    texts: Texts
    code_keys: NDArray[np.uint64]
    code_companies: NDArray[np.int32]
    codes: Texts = field(init=False, repr=False, compare=False)
    names: Texts = field(init=False, repr=False, compare=False)
    category_names: Texts = field(init=False, repr=False, compare=False)
    _keys: memoryview = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        count = len(self.rows)
        object.__setattr__(self, "codes", self.texts.part(0, count))
        object.__setattr__(self, "names", self.texts.part(count, 2 * count))
        object.__setattr__(self, "category_names", self.texts.part(2 * count, len(self.texts)))
        object.__setattr__(self, "_keys", self.code_keys.data)

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, code: str) -> int | None:
        """The dense id of a code; None for one that is not here."""
        place = bisect_left(self._keys, code_key(code))
        if place == len(self._keys):
            return None
        company = self.code_companies.item(place)
        return company if self.codes[company] == code else None

    def company_id(self, company: int) -> int:
        """Of a dense id, as are all below."""
        return int(self.rows["company_id"][company])

    def code(self, company: int) -> str:
        """The company_code."""
        return self.codes[company]

    def name(self, company: int) -> str:
        """The company_name."""
        return self.names[company]

    def category_id(self, company: int) -> int | None:
        """None without a category, or where it has no id."""
        category = int(self.rows["category"][company])
        found = category >= 0 and self.categories["has_id"][category]
        return int(self.categories["category_id"][category]) if found else None

    def category_name(self, company: int) -> str | None:
        """None without a category, or where it has no name."""
        category = int(self.rows["category"][company])
        return self.category_names[category] if category >= 0 and self.categories["has_name"][category] else None

    def in_categories(self, category_ids: Sequence[int]) -> NDArray[np.bool_]:
        """(companies,): which belong to one of these categories."""
        wanted = np.zeros(len(self.categories) + 1, dtype=np.bool_)  # the last is that of companies without one
        asked = np.array(category_ids, dtype=np.int64)
        wanted[:-1] = np.isin(self.categories["category_id"], asked) & (self.categories["has_id"] != 0)
        belongs: NDArray[np.bool_] = wanted[self.rows["category"]]
        return belongs


def code_key(code: str) -> int:
    """Under which a code is found: 64 bits of the SHA-256 of its UTF-8. Of a catalogue no two may have one."""
    return int.from_bytes(hashlib.sha256(code.encode()).digest()[:KEY_BYTES], "big")


def table_problems(table: CompanyTable, indexed: int) -> Iterator[str]:
    """What a table of the right types and shapes must hold and does not; nothing when it is sound.

    In order of code_company in each of its two parts: so an exchanged table is told from the right one.
    """
    problems = list(text_problems(table.texts))
    yield from problems
    categories = table.rows["category"]
    if ((categories < NO_CATEGORY) | (categories >= len(table.categories))).any():
        yield f"categories from {NO_CATEGORY} to {len(table.categories) - 1}"
    if (table.code_keys[1:] <= table.code_keys[:-1]).any():
        yield "keys of codes in ascending order, each once"
    if not np.array_equal(np.sort(table.code_companies), np.arange(len(table))):
        yield "every company once by its code"
    elif not problems:
        parts = (table.codes.part(0, indexed), table.codes.part(indexed, len(table)))
        if not all(part.are_ascending() for part in parts):
            yield "companies in order of company_code, first those of the index"


def key_problems(table: CompanyTable) -> Iterator[str]:
    """Whether every code can be found, one by one; the texts must be readable."""
    wrong = sum(table.find(code) != company for company, code in enumerate(table.codes.tolist()))
    if wrong:
        yield f"a key for every code, but {wrong} cannot be found"
