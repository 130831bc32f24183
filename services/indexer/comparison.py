"""`python -m services.indexer.comparison <folder>`: holds two downloaded bundles side by side, in a process of its own.

They lie in <folder>/base and <folder>/version. Prints one Compared as JSON on stdout.
"""

import sys
from pathlib import Path

import numpy as np

from services.contracts import bundle
from services.contracts.bundle import MANIFEST_FILE, version_of
from services.contracts.bundle_arrays import table_in
from services.indexer.adapters.annoy_index import load_annoy, nearest_in
from services.indexer.adapters.bundle_reading import (
    UNREADABLE,
    disagreements,
    model_of,
    read_arrays,
    read_manifest,
)
from services.indexer.adapters.child_life import die_with_parent
from services.indexer.adapters.comparison_process import BASE, VERSION, Compared
from services.indexer.domain.comparison import Side, compare
from services.runtime.checksums import sha256_of


def main(folder: Path) -> None:
    """Prints the comparison, or what stands in its way."""
    try:
        found = Compared(comparison=compare(_side(folder / BASE), _side(folder / VERSION)))
    except UNREADABLE as error:
        found = Compared(problem=str(error).partition("\n")[0])
    print(found.model_dump_json(), flush=True)


def _side(folder: Path) -> Side:
    """ValueError unless every byte is the one that the manifest means."""
    manifest = read_manifest(folder)
    version = version_of(manifest.watermark, sha256_of(folder / MANIFEST_FILE))
    wrong = next(disagreements(folder, manifest), None)
    if wrong:
        raise ValueError(f"{version}: {wrong}")
    arrays = read_arrays(folder)
    nearest = nearest_in(load_annoy(folder / bundle.ANNOY_FILE, manifest.dimension + 1), manifest.search_nodes)
    factors, histories = model_of(manifest, arrays, nearest)
    holdout = np.full((manifest.clients, 2), np.nan, dtype=np.float32)
    holdout[arrays[bundle.JUDGED_FILE]] = arrays[bundle.JUDGED_NDCG_FILE]
    return Side(version, manifest, table_in(arrays), factors, histories, arrays[bundle.CLIENTS_FILE], holdout)


if __name__ == "__main__":
    die_with_parent()
    main(Path(sys.argv[1]))
