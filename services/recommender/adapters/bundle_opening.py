"""From verified files to a snapshot: everything is mapped, and checked against the manifest.

ValueError says what is wrong with which file.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle import IndexManifest, Publication
from services.contracts.bundle_arrays import Arrays, expected_arrays, lists_in, table_in
from services.contracts.candidate_lists import CandidateLists, list_problems
from services.contracts.client_keys import are_ascending
from services.contracts.companies import CompanyTable, table_problems
from services.contracts.factors import Factors, padded
from services.recommender.adapters.annoy_file import open_annoy
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.clients import ClientHistories
from services.recommender.domain.snapshot import Snapshot, norms_of

CLIENT_FILES = (
    bundle.CLIENTS_FILE,
    bundle.OFFSETS_FILE,
    bundle.HISTORY_FILE,
    bundle.WEIGHTS_FILE,
    bundle.HABITS_FILE,
)


def open_snapshot(folder: Path, publication: Publication, manifest: IndexManifest, loaded_at: datetime) -> Snapshot:
    """`folder` holds the files of `manifest`, checksums verified."""
    arrays = {name: _mapped(folder / name, *expected) for name, expected in expected_arrays(manifest).items()}
    factors = _factors(arrays, manifest, folder)
    if publication.search == "exact":
        factors = replace(factors, nearest=None)
    return Snapshot(
        publication=publication,
        manifest=manifest,
        loaded_at=loaded_at,
        factors=factors,
        catalogue=Catalogue.of(_table(arrays, manifest)),
        clients=_clients(arrays, manifest),
        lists=_lists(arrays, manifest),
        target_norms=norms_of(factors.target[:, :-1]),
    )


def check_manifest(manifest: IndexManifest) -> None:
    """ValueError unless the counts can be and every file is named once."""
    if sorted(file.name for file in manifest.files) != sorted(bundle.FILES):
        raise ValueError(f"the manifest must name these files once each: {', '.join(bundle.FILES)}")
    others = (manifest.clients, manifest.pairs, manifest.categories, manifest.text_bytes, manifest.judged)
    counts = 0 <= manifest.indexed <= manifest.companies and min(others) >= 0
    if not counts or manifest.dimension < 1 or not np.isfinite(manifest.habit_weight):
        raise ValueError("the manifest's counts, dimension or habit weight cannot be")


def _table(arrays: Arrays, manifest: IndexManifest) -> CompanyTable:
    table = table_in(arrays)
    problem = next(table_problems(table, manifest.indexed), None)
    _require(problem is None, bundle.COMPANIES_FILE, f"with the files beside it {problem}")
    return table


def _factors(arrays: Arrays, manifest: IndexManifest, folder: Path) -> Factors:
    source, target, popular = (arrays[name] for name in (bundle.SOURCE_FILE, bundle.TARGET_FILE, bundle.POPULAR_FILE))
    _require(bool(np.isfinite(source).all()), bundle.SOURCE_FILE, "finite numbers")
    _require(bool(np.isfinite(target).all()), bundle.TARGET_FILE, "finite numbers")
    every = np.arange(manifest.companies)
    _require(np.array_equal(np.sort(popular), every), bundle.POPULAR_FILE, "every company once")
    nearest = open_annoy(folder / bundle.ANNOY_FILE, padded(target), manifest.trees, manifest.search_nodes)
    return Factors(source, target, popular, nearest, manifest.habit_weight)


def _clients(arrays: Arrays, manifest: IndexManifest) -> ClientHistories:
    keys, offsets, companies, weights, habits = (arrays[name] for name in CLIENT_FILES)
    _require(are_ascending(keys), bundle.CLIENTS_FILE, "keys in ascending order, each once")
    slices = offsets[0] == 0 and offsets[-1] == manifest.pairs and (offsets[1:] >= offsets[:-1]).all()
    _require(bool(slices), bundle.OFFSETS_FILE, f"offsets that rise from 0 to {manifest.pairs}")
    known = (companies >= 0) & (companies < manifest.companies)
    _require(bool(known.all()), bundle.HISTORY_FILE, f"dense ids below {manifest.companies}")
    _require(bool(np.isfinite(weights).all()), bundle.WEIGHTS_FILE, "finite numbers")
    _require(bool(((habits >= 0) & (habits <= 1)).all()), bundle.HABITS_FILE, "numbers from 0 to 1")
    return ClientHistories(keys, offsets, companies, weights, habits)


def _lists(arrays: Arrays, manifest: IndexManifest) -> CandidateLists:
    lists = lists_in(arrays)
    problem = next(list_problems(lists, manifest.companies), None)
    _require(problem is None, bundle.LIST_ROWS_FILE, f"with the files beside it {problem}")
    return lists


def _mapped(path: Path, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A read-only view of the file; object arrays, which would run code, are refused by numpy."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OverflowError, EOFError) as error:
        raise ValueError(f"{path.name} is not a .npy array: {error}") from error
    fits = array.dtype == kind and array.shape == shape and array.flags.c_contiguous
    order = "C" if array.flags.c_contiguous else "Fortran"
    expected = f"{kind} {shape} in C order, but {array.dtype} {array.shape} in {order} order is there"
    _require(fits, path.name, expected)
    return np.asarray(array)


def _require(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} must hold {expected}")
