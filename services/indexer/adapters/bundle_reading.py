"""A bundle as the inspection reads it from a folder. Kept apart from what trains, so that a child starts soon."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from services.contracts import bundle
from services.contracts.bundle import MANIFEST_FILE, IndexManifest
from services.contracts.bundle_arrays import Arrays
from services.contracts.factors import Factors, Nearest
from services.indexer.domain.histories import Histories
from services.runtime.checksums import sha256_of

ARRAY_FILES = tuple(name for name in bundle.FILES if name.endswith(".npy"))
UNREADABLE = (ValueError, EOFError, OSError)  # what numpy and pydantic raise for a damaged file


def read_manifest(folder: Path) -> IndexManifest:
    """The manifest of a bundle; ValidationError when it is none."""
    return IndexManifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())


def disagreements(folder: Path, manifest: IndexManifest) -> Iterator[str]:
    """Files that are missing, or are not those that the manifest means."""
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file():
            yield f"{file.name} is missing from the object store"
        elif path.stat().st_size != file.size:
            yield f"{file.name} has {path.stat().st_size} bytes, the manifest says {file.size}"
        elif sha256_of(path) != file.sha256:
            yield f"{file.name} does not have the SHA-256 that the manifest says"


def read_arrays(folder: Path) -> Arrays:
    """All arrays by their files; ValueError, EOFError or OSError when one is damaged."""
    return {name: np.load(folder / name, allow_pickle=False) for name in ARRAY_FILES}


def model_of(manifest: IndexManifest, arrays: Arrays, nearest: Nearest | None) -> tuple[Factors, Histories]:
    """What ranks, from the arrays of a bundle; `nearest` None: exactly."""
    source, target, popular = (arrays[name] for name in (bundle.SOURCE_FILE, bundle.TARGET_FILE, bundle.POPULAR_FILE))
    pairs = (arrays[name] for name in (bundle.HISTORY_FILE, bundle.WEIGHTS_FILE, bundle.HABITS_FILE))
    factors = Factors(source, target, popular, nearest, manifest.habit_weight)
    return factors, Histories(arrays[bundle.OFFSETS_FILE], *pairs)
