"""Every file that Annoy writes is found sound, and Annoy answers from it."""

from pathlib import Path

import numpy as np
import pytest
from annoy import AnnoyIndex

from services.contracts.factors import FloatArray, padded
from services.recommender.adapters.annoy_file import CHUNK_NODES, open_annoy, require_sound


@pytest.mark.parametrize("jobs", [1, -1])
@pytest.mark.parametrize("trees", [1, 7])
@pytest.mark.parametrize(("items", "dimension"), [(1, 1), (2, 3), (5, 4), (6, 4), (7, 4), (40, 1), (500, 16)])
def test_what_annoy_builds_is_sound(tmp_path: Path, items: int, dimension: int, trees: int, jobs: int) -> None:
    target = np.random.default_rng(items).normal(size=(items, dimension)).astype(np.float32)
    path = build(tmp_path, padded(target), trees, jobs)

    nearest = open_annoy(path, padded(target), trees, 100_000)

    assert sorted(nearest(target[0], 10 * items)) == list(range(items))


def test_an_index_of_equal_vectors_is_sound(tmp_path: Path) -> None:
    vectors = padded(np.ones((100, 3), dtype=np.float32))

    require_sound(build(tmp_path, vectors, 5, 1), vectors)


def test_a_file_larger_than_a_chunk_is_checked_to_its_end(tmp_path: Path) -> None:
    vectors = padded(np.random.default_rng(1).normal(size=(70_000, 1)).astype(np.float32))
    path = build(tmp_path, vectors, 2, 1)
    nodes = np.fromfile(path, "<i4").reshape(-1, 3 + vectors.shape[1])
    assert len(nodes) > len(vectors) + CHUNK_NODES
    nodes[-1, 1] = len(nodes)
    nodes.tofile(path)

    with pytest.raises(ValueError, match="broken trees"):
        require_sound(path, vectors)


def build(folder: Path, vectors: FloatArray, trees: int, jobs: int) -> Path:
    """An index as the indexer writes it, by one thread or by all."""
    index = AnnoyIndex(vectors.shape[1], "angular")
    index.set_seed(1)
    for item, vector in enumerate(vectors.tolist()):
        index.add_item(item, vector)
    index.build(trees, n_jobs=jobs)
    index.save(str(folder / "companies.annoy"))
    return folder / "companies.annoy"
