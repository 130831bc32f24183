"""A bundle as the training writes it into a folder."""

from pathlib import Path

import numpy as np
from annoy import AnnoyIndex

from services.contracts import bundle
from services.contracts.bundle import BundleFile
from services.contracts.bundle_arrays import Arrays, arrays_of
from services.contracts.companies import CompanyTable
from services.indexer.domain.model import Model
from services.runtime.checksums import sha256_of


def write_bundle(folder: Path, model: Model, beside: Arrays, table: CompanyTable, index: AnnoyIndex) -> None:
    """Writes every file but the manifest. `beside`: arrays that are not the model's own, by file."""
    index.save(str(folder / bundle.ANNOY_FILE))
    histories = model.histories
    arrays: Arrays = {
        bundle.SOURCE_FILE: model.source,
        bundle.TARGET_FILE: model.target,
        bundle.POPULAR_FILE: model.companies.popular,
        bundle.OFFSETS_FILE: histories.offsets,
        bundle.HISTORY_FILE: histories.companies,
        bundle.WEIGHTS_FILE: histories.weights,
        bundle.HABITS_FILE: histories.habits,
    }
    for name, array in {**arrays, **arrays_of(table), **beside}.items():
        np.save(folder / name, np.ascontiguousarray(array), allow_pickle=False)


def described(folder: Path) -> tuple[BundleFile, ...]:
    """Name, size and SHA-256 of the files of a bundle."""
    paths = [folder / name for name in bundle.FILES]
    return tuple(BundleFile(name=path.name, size=path.stat().st_size, sha256=sha256_of(path)) for path in paths)
