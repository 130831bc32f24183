"""Type and shape of each array of a bundle: what its manifest says, so that one place knows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle import IndexManifest
from services.contracts.candidate_lists import CandidateLists
from services.contracts.companies import CATEGORY_ROW, COMPANY_ROW, CompanyTable
from services.contracts.texts import Texts

LIST_FILES = (bundle.LIST_ROWS_FILE, bundle.LIST_COMPANIES_FILE, bundle.LIST_SCORES_FILE, bundle.LIST_KINDS_FILE)

# By their files.
Arrays = Mapping[str, NDArray[Any]]


def expected_arrays(manifest: IndexManifest) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """By file."""
    return {name: (np.dtype(kind), shape) for name, kind, shape in _expected(manifest)}


def _expected(manifest: IndexManifest) -> list[tuple[str, Any, tuple[int, ...]]]:
    companies, pairs = (manifest.companies,), (manifest.pairs,)
    factors, lists = (manifest.indexed, manifest.dimension), (manifest.lists, manifest.list_length)
    return [
        (bundle.COMPANIES_FILE, COMPANY_ROW, companies),
        (bundle.CATEGORIES_FILE, CATEGORY_ROW, (manifest.categories,)),
        (bundle.TEXTS_FILE, np.uint8, (manifest.text_bytes,)),
        (bundle.TEXT_OFFSETS_FILE, np.int64, (2 * manifest.companies + manifest.categories + 1,)),
        (bundle.CODE_KEYS_FILE, np.uint64, companies),
        (bundle.CODE_COMPANIES_FILE, np.int32, companies),
        (bundle.SOURCE_FILE, np.float32, factors),
        (bundle.TARGET_FILE, np.float32, factors),
        (bundle.POPULAR_FILE, np.int32, companies),
        (bundle.CLIENTS_FILE, np.uint64, (manifest.clients, 2)),
        (bundle.OFFSETS_FILE, np.int64, (manifest.clients + 1,)),
        (bundle.HISTORY_FILE, np.int32, pairs),
        (bundle.WEIGHTS_FILE, np.float32, pairs),
        (bundle.HABITS_FILE, np.float32, pairs),
        (bundle.TENDENCIES_FILE, np.float64, (manifest.companies, 2)),
        (bundle.LIST_ROWS_FILE, np.int32, (manifest.clients,)),
        (bundle.LIST_COMPANIES_FILE, np.int32, lists),
        (bundle.LIST_SCORES_FILE, np.float32, lists),
        (bundle.LIST_KINDS_FILE, np.uint8, lists),
        (bundle.JUDGED_FILE, np.int32, (manifest.judged,)),
        (bundle.JUDGED_NDCG_FILE, np.float32, (manifest.judged, 2)),
    ]


def lists_in(arrays: Arrays) -> CandidateLists:
    """The lists whose arrays these are."""
    rows, companies, scores, kinds = (arrays[name] for name in LIST_FILES)
    return CandidateLists(rows, companies, scores, kinds)


def arrays_of(table: CompanyTable) -> Arrays:
    """The table's arrays by their files."""
    return {
        bundle.COMPANIES_FILE: table.rows,
        bundle.CATEGORIES_FILE: table.categories,
        bundle.TEXTS_FILE: table.texts.blob,
        bundle.TEXT_OFFSETS_FILE: table.texts.offsets,
        bundle.CODE_KEYS_FILE: table.code_keys,
        bundle.CODE_COMPANIES_FILE: table.code_companies,
    }


def table_in(arrays: Arrays) -> CompanyTable:
    """The table whose arrays these are; of the right types and shapes."""
    return CompanyTable(
        rows=arrays[bundle.COMPANIES_FILE],
        categories=arrays[bundle.CATEGORIES_FILE],
        texts=Texts(arrays[bundle.TEXTS_FILE], arrays[bundle.TEXT_OFFSETS_FILE]),
        code_keys=arrays[bundle.CODE_KEYS_FILE],
        code_companies=arrays[bundle.CODE_COMPANIES_FILE],
    )
