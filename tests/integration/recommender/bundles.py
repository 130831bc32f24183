"""Real bundles of a small planted world, and the ways in which they go wrong.

Three groups of eight companies and one category each, of which clients pay one group's first three; then two
companies outside the index, in category 10: cold, paid by one client, and unpaid. Every name begins with the label.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle import BundleFile, Challenger, IndexManifest, Publication
from services.contracts.bundle_arrays import arrays_of
from services.contracts.client_keys import client_key
from services.contracts.company_columns import CompanyColumns, table_of
from services.contracts.factors import Factors, padded
from services.indexer.domain.histories import Histories
from services.indexer.domain.lists import new_lists
from services.runtime.objects.store import ObjectStore

GROUPS = 3
GROUP_SIZE = 8
INDEXED = GROUPS * GROUP_SIZE
COMPANIES = INDEXED + 2
DIMENSION = 5
TREES = 10
LIST_LENGTH = 20
CLIENTS = 30
COLD_CLIENT = "client-of-the-cold-company"
WATERMARK = datetime(2026, 3, 1, 12, tzinfo=UTC)
PUBLISHED_AT = datetime(2026, 3, 2, 3, tzinfo=UTC)
QUALITY = {"ndcg": 0.2, "popularity_ndcg": 0.1, "gain": 0.1, "gain_low": 0.05, "gain_high": 0.15}
USUAL = {"decay": 0.5, "shrinkage": 1.0, "trend": 0.0, "popularity": 0.0}
REST = {"ndcg_low": 0.15, "ndcg_high": 0.25, "recall": 0.3, "hit": 0.5, "coverage": 0.4, "clients": CLIENTS}

Arrays = dict[str, NDArray[Any]]


@dataclass
class World:
    """What a bundle is written from; a test may change it before `write`, so that a wrong bundle is rightly signed."""

    arrays: Arrays
    annoy_vectors: NDArray[np.float32]
    manifest: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredVersion:
    """A version in the object store."""

    version: str
    manifest_sha256: str


def client_of(group: int, number: int = 0) -> str:
    """A client that pays the first three companies of a group."""
    return f"client-{group + GROUPS * number}"


def code_of(dense: int) -> str:
    """The company code of a dense id."""
    return f"C{dense:03d}"


def planted(label: str = "A", dimension: int = DIMENSION) -> World:
    """The same label gives the same world."""
    target = _factors(dimension)
    histories = _histories()
    keys = np.array([client_key(client) for client in histories], dtype=np.uint64)
    rows = [list(histories.values())[row] for row in np.lexsort((keys[:, 1], keys[:, 0]))]
    companies = np.concatenate(rows).astype(np.int32)
    arrays: Arrays = {
        **arrays_of(table_of(columns_of(label))),
        bundle.SOURCE_FILE: target.copy(),
        bundle.TARGET_FILE: target,
        bundle.POPULAR_FILE: np.arange(COMPANIES, dtype=np.int32)[::-1].copy(),
        bundle.CLIENTS_FILE: keys[np.lexsort((keys[:, 1], keys[:, 0]))],
        bundle.OFFSETS_FILE: np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64),
        bundle.HISTORY_FILE: companies,
        bundle.WEIGHTS_FILE: np.concatenate([np.linspace(1, 0.5, len(row)) for row in rows]).astype(np.float32),
        bundle.HABITS_FILE: np.concatenate([np.linspace(1, 0.8, len(row)) for row in rows]).astype(np.float32),
        bundle.TENDENCIES_FILE: np.full((COMPANIES, 2), 0.25),
        bundle.JUDGED_FILE: np.arange(2, dtype=np.int32),
        bundle.JUDGED_NDCG_FILE: np.full((2, 2), 0.5, dtype=np.float32),
    }
    arrays |= _lists(arrays)
    return World(arrays, padded(target))


def write(folder: Path, world: World) -> IndexManifest:
    """Writes all files; the manifest that fits them."""
    folder.mkdir(parents=True)
    for name, array in world.arrays.items():
        np.save(folder / name, array, allow_pickle=False)
    write_annoy(folder / bundle.ANNOY_FILE, world.annoy_vectors)
    return signed(folder, world)


def write_annoy(path: Path, vectors: NDArray[np.float32]) -> None:
    """An Annoy index of the rows."""
    index = AnnoyIndex(vectors.shape[1], "angular")
    index.set_seed(1)
    for item, vector in enumerate(vectors.tolist()):
        index.add_item(item, vector)
    index.build(TREES, n_jobs=1)
    index.save(str(path))


def signed(folder: Path, world: World) -> IndexManifest:
    """A manifest whose sizes and checksums are those of the files as they are now."""
    quality = {**QUALITY, **REST}
    values: dict[str, object] = {
        "code_version": "test",
        "companies": len(world.arrays[bundle.COMPANIES_FILE]),
        "categories": len(world.arrays[bundle.CATEGORIES_FILE]),
        "text_bytes": len(world.arrays[bundle.TEXTS_FILE]),
        "indexed": len(world.annoy_vectors),
        "clients": len(world.arrays[bundle.CLIENTS_FILE]),
        "pairs": len(world.arrays[bundle.HISTORY_FILE]),
        "judged": len(world.arrays[bundle.JUDGED_FILE]),
        "dimension": world.arrays[bundle.TARGET_FILE].shape[1],
        "trees": TREES,
        "search_nodes": 500,
        "lists": len(world.arrays[bundle.LIST_COMPANIES_FILE]),
        "list_length": LIST_LENGTH,
        "habit_weight": 1.5,
        "training_payments": 1000,
        "first_payment_at": datetime(2025, 1, 1, tzinfo=UTC),
        "last_payment_at": WATERMARK,
        "watermark": WATERMARK,
        "choice": {"chosen": USUAL, "usual": USUAL, "payments": 0, "clients": 0, "trials": ()},
        "parameters": {},
        "quality": {"k": 10, "cut": datetime(2026, 2, 1, tzinfo=UTC), "new": quality, "any": quality},
        "files": tuple(_described(folder / name) for name in bundle.FILES),
    }
    return IndexManifest.model_validate(values | world.manifest)


def upload(store: ObjectStore, folder: Path, manifest: IndexManifest) -> StoredVersion:
    """Puts a version into the store, the manifest last."""
    content = manifest.to_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    version = bundle.version_of(manifest.watermark, sha256)
    for file in manifest.files:
        store.put_if_absent(bundle.version_file_key(version, file.name), folder / file.name)
    store.put_if_absent(bundle.manifest_key(version), content)
    return StoredVersion(version, sha256)


def publish(
    store: ObjectStore, epoch: int, stored: StoredVersion, challenger: StoredVersion | None = None, share: float = 0.5
) -> Publication:
    """Puts a version into service, and another beside it as the challenger of the experiment "try"."""
    theirs = challenger and Challenger(
        experiment="try",
        version=challenger.version,
        manifest_sha256=challenger.manifest_sha256,
        share=share,
        since=epoch,
    )
    publication = Publication(
        epoch=epoch,
        version=stored.version,
        manifest_sha256=stored.manifest_sha256,
        published_at=PUBLISHED_AT,
        reason="test",
        challenger=theirs,
    )
    store.put_if_absent(bundle.publication_key(epoch), publication.to_bytes())
    return publication


def publish_world(store: ObjectStore, folder: Path, epoch: int, world: World | None = None) -> Publication:
    """Writes, stores and publishes a world, the planted one of label A if none is given."""
    world = world or planted()
    return publish(store, epoch, upload(store, folder, write(folder, world)))


def _described(path: Path) -> BundleFile:
    content = path.read_bytes()
    return BundleFile(name=path.name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def _factors(dimension: int) -> NDArray[np.float32]:
    """Companies of a group point the same way, the earlier the longer; a little noise tells them apart.

    The last number is popularity's: 0.
    """
    noise = np.random.default_rng(7).normal(0, 0.05, (INDEXED, dimension))
    noise[:, -1] = 0.0
    lengths = np.tile(np.linspace(2, 1, GROUP_SIZE), GROUPS)
    groups = np.eye(dimension)[np.arange(INDEXED) // GROUP_SIZE]
    return (groups * lengths[:, None] + noise).astype(np.float32)


def _histories() -> dict[str, list[int]]:
    clients = {f"client-{number}": _first_three(number % GROUPS) for number in range(CLIENTS)}
    return clients | {COLD_CLIENT: [INDEXED]}


def _first_three(group: int) -> list[int]:
    return [group * GROUP_SIZE + place for place in range(3)]


def _lists(arrays: Arrays) -> Arrays:
    """For every client but the one of the first row."""
    source, target, popular = (arrays[name] for name in (bundle.SOURCE_FILE, bundle.TARGET_FILE, bundle.POPULAR_FILE))
    names = (bundle.OFFSETS_FILE, bundle.HISTORY_FILE, bundle.WEIGHTS_FILE, bundle.HABITS_FILE)
    histories = Histories(*(arrays[name] for name in names))
    clients = np.arange(1, len(histories.offsets) - 1)
    made = new_lists(Factors(source, target, popular, None, 1.5), histories, clients, LIST_LENGTH)
    return {
        bundle.LIST_ROWS_FILE: np.arange(-1, len(clients), dtype=np.int32),
        bundle.LIST_COMPANIES_FILE: made.companies,
        bundle.LIST_SCORES_FILE: made.scores,
        bundle.LIST_KINDS_FILE: made.kinds,
    }


def columns_of(label: str) -> CompanyColumns:
    """The companies of a world."""
    groups = [dense // GROUP_SIZE for dense in range(INDEXED)] + [0, 0]
    return CompanyColumns(
        company_id=[1000 + 7 * dense for dense in range(COMPANIES - 1)] + [2**62],
        company_code=[code_of(dense) for dense in range(COMPANIES)],
        company_name=[f"{label} company {dense}" for dense in range(COMPANIES)],
        category_id=[*(10 * (group + 1) for group in groups[:-1]), None],
        category_name=[*(f"Category {10 * (group + 1)}" for group in groups[:-1]), None],
        is_top_biller=[None] * COMPANIES,
        average_amount=[*(10.0 + dense for dense in range(COMPANIES - 1)), None],
        average_days_between=[None] * COMPANIES,
    )
