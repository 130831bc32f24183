"""From columns of plain values to the arrays that a bundle holds of its companies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.contracts.companies import CATEGORY_ROW, COMPANY_ROW, NO_CATEGORY, CompanyTable, code_key
from services.contracts.texts import texts_of

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class CompanyColumns:
    """Columns of equal length, in order of dense ids; averages are means over the training payments."""

    company_id: Sequence[int]
    company_code: Sequence[str]
    company_name: Sequence[str]
    category_id: Sequence[int | None]
    category_name: Sequence[str | None]
    is_top_biller: Sequence[bool | None]
    average_amount: Sequence[float | None]
    average_days_between: Sequence[float | None]


def table_of(columns: CompanyColumns) -> CompanyTable:
    """The same columns give the same arrays. ValueError when two companies have one code."""
    categories = list(dict.fromkeys(zip(columns.category_id, columns.category_name, strict=True)))
    categories = [each for each in categories if each != (None, None)]
    row_of = {category: row for row, category in enumerate(categories)} | {(None, None): NO_CATEGORY}
    rows = np.zeros(len(columns.company_code), dtype=COMPANY_ROW)
    rows["company_id"] = columns.company_id
    rows["average_amount"] = _numbers(columns.average_amount)
    rows["average_days_between"] = _numbers(columns.average_days_between)
    pairs = zip(columns.category_id, columns.category_name, strict=True)
    rows["category"] = [row_of[category] for category in pairs]
    rows["is_top_biller"] = [UNKNOWN if value is None else int(value) for value in columns.is_top_biller]
    names = [name or "" for _, name in categories]
    keys = np.array([code_key(code) for code in columns.company_code], dtype=np.uint64)
    order = np.argsort(keys, kind="stable").astype(np.int32)
    if (keys[order][1:] == keys[order][:-1]).any():
        raise ValueError("two companies have the same company_code")
    texts = texts_of([*columns.company_code, *columns.company_name, *names])
    return CompanyTable(rows, _category_rows(categories), texts, keys[order], order)


def _category_rows(categories: list[tuple[int | None, str | None]]) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    rows = np.zeros(len(categories), dtype=CATEGORY_ROW)
    rows["category_id"] = [category or 0 for category, _ in categories]
    rows["has_id"] = [category is not None for category, _ in categories]
    rows["has_name"] = [name is not None for _, name in categories]
    return rows


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [np.nan if value is None else float(value) for value in values]
