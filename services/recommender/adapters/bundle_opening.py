"""From verified files to a snapshot: everything is mapped, and checked against the manifest.

ValueError says what is wrong with which file.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle import CompanyTable, IndexManifest, Publication
from services.contracts.client_keys import are_ascending
from services.contracts.ranking import Factors, padded
from services.contracts.searching import exactly_nearest
from services.recommender.adapters.annoy_file import open_annoy
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.clients import ClientHistories
from services.recommender.domain.snapshot import Snapshot, norms_of

INT64 = range(-(2**63), 2**63)

Number = TypeVar("Number", bound=np.generic)


def open_snapshot(folder: Path, publication: Publication, manifest: IndexManifest, loaded_at: datetime) -> Snapshot:
    """`folder` holds the files of `manifest`, checksums verified."""
    factors = _open_factors(folder, manifest)
    if publication.search == "exact":
        factors = replace(factors, nearest=exactly_nearest(factors.target))
    return Snapshot(
        publication=publication,
        manifest=manifest,
        loaded_at=loaded_at,
        factors=factors,
        catalogue=Catalogue.of(_open_companies(folder, manifest)),
        clients=_open_clients(folder, manifest),
        target_norms=norms_of(factors.target[:, :-1]),
    )


def check_manifest(manifest: IndexManifest) -> None:
    """ValueError unless the counts can be and every file is named once."""
    if sorted(file.name for file in manifest.files) != sorted(bundle.FILES):
        raise ValueError(f"the manifest must name these files once each: {', '.join(bundle.FILES)}")
    counts = 0 <= manifest.indexed <= manifest.companies and manifest.clients >= 0 and manifest.pairs >= 0
    if not counts or manifest.dimension < 1 or not np.isfinite(manifest.habit_weight):
        raise ValueError("the manifest's counts, dimension or habit weight cannot be")


def _open_companies(folder: Path, manifest: IndexManifest) -> CompanyTable:
    table = CompanyTable.from_bytes((folder / bundle.COMPANIES_FILE).read_bytes(), bundle.COMPANIES_FILE)
    lengths = {len(column) for _, column in table}
    _require(lengths == {manifest.companies}, bundle.COMPANIES_FILE, f"columns of {manifest.companies} companies")
    ids = (*table.company_id, *(category for category in table.category_id if category is not None))
    _require(all(number in INT64 for number in ids), bundle.COMPANIES_FILE, "ids of 64 bits")
    in_order = bundle.are_in_order(table.company_code, manifest.indexed)
    _require(in_order, bundle.COMPANIES_FILE, "companies in order of their codes, first those of the index")
    return table


def _open_factors(folder: Path, manifest: IndexManifest) -> Factors:
    shape = (manifest.indexed, manifest.dimension)
    source = _mapped(folder / bundle.SOURCE_FILE, np.float32, shape)
    target = _mapped(folder / bundle.TARGET_FILE, np.float32, shape)
    popular = _mapped(folder / bundle.POPULAR_FILE, np.int32, (manifest.companies,))
    _require(bool(np.isfinite(source).all()), bundle.SOURCE_FILE, "finite numbers")
    _require(bool(np.isfinite(target).all()), bundle.TARGET_FILE, "finite numbers")
    every = np.arange(manifest.companies)
    _require(np.array_equal(np.sort(popular), every), bundle.POPULAR_FILE, "every company once")
    nearest = open_annoy(folder / bundle.ANNOY_FILE, padded(target), manifest.trees)
    return Factors(source, target, popular, nearest, manifest.habit_weight)


def _open_clients(folder: Path, manifest: IndexManifest) -> ClientHistories:
    keys = _mapped(folder / bundle.CLIENTS_FILE, np.uint64, (manifest.clients, 2))
    offsets = _mapped(folder / bundle.OFFSETS_FILE, np.int64, (manifest.clients + 1,))
    companies = _mapped(folder / bundle.HISTORY_FILE, np.int32, (manifest.pairs,))
    weights = _mapped(folder / bundle.WEIGHTS_FILE, np.float32, (manifest.pairs,))
    habits = _mapped(folder / bundle.HABITS_FILE, np.float32, (manifest.pairs,))
    _require(are_ascending(keys), bundle.CLIENTS_FILE, "keys in ascending order, each once")
    slices = offsets[0] == 0 and offsets[-1] == manifest.pairs and (offsets[1:] >= offsets[:-1]).all()
    _require(bool(slices), bundle.OFFSETS_FILE, f"offsets that rise from 0 to {manifest.pairs}")
    known = (companies >= 0) & (companies < manifest.companies)
    _require(bool(known.all()), bundle.HISTORY_FILE, f"dense ids below {manifest.companies}")
    _require(bool(np.isfinite(weights).all()), bundle.WEIGHTS_FILE, "finite numbers")
    _require(bool(((habits >= 0) & (habits <= 1)).all()), bundle.HABITS_FILE, "numbers from 0 to 1")
    return ClientHistories(keys, offsets, companies, weights, habits)


def _mapped(path: Path, number: type[Number], shape: tuple[int, ...]) -> NDArray[Number]:
    """A read-only view of the file; object arrays, which would run code, are refused by numpy."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OverflowError, EOFError) as error:
        raise ValueError(f"{path.name} is not a .npy array: {error}") from error
    fits = array.dtype == number and array.shape == shape and array.flags.c_contiguous
    order = "C" if array.flags.c_contiguous else "Fortran"
    expected = f"{np.dtype(number)} {shape} in C order, but {array.dtype} {array.shape} in {order} order is there"
    _require(fits, path.name, expected)
    return np.asarray(array)


def _require(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} must hold {expected}")
