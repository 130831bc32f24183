"""Annoy trusts its file: a wrong one kills the process. So the file is proven sound before Annoy sees it.

Layout (https://github.com/spotify/annoy, annoylib.h): nodes of one size, numbers little-endian and 32 bits wide:
descendants, two children (or a norm), the vector. First one node an item, in order of ids, with one descendant; then
the trees' nodes. One with at most width + 2 descendants is a leaf: item ids stand where children and vector stand
elsewhere. Any other has two children that were written before it. The last node is a root, above all items.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from services.contracts.factors import FloatArray, IntArray, Nearest

HEAD_NUMBERS = 3  # before the vector
CHUNK_NODES = 65536


def open_annoy(path: Path, vectors: FloatArray, trees: int, search_nodes: int) -> Nearest:
    """Maps the index of `trees` trees over `vectors`, (n, width); ValueError when it is any other file.

    A search looks at `search_nodes` nodes.
    Without vectors the file is left alone, and nothing is ever near.
    """
    if not len(vectors):
        return lambda _vector, _count: ()
    require_sound(path, vectors)
    index = AnnoyIndex(vectors.shape[1], "angular")
    try:
        index.load(str(path))
    except OSError as error:
        raise ValueError(f"{path.name} is not an Annoy index: {error}") from error
    if index.get_n_items() != len(vectors) or index.get_n_trees() < trees:  # of few vectors Annoy counts more trees
        found = f"{index.get_n_items()} items in {index.get_n_trees()} trees"
        raise ValueError(f"{path.name} holds {found}, not {len(vectors)} in {trees}")

    def nearest(query: FloatArray, count: int) -> Sequence[int]:
        found: list[int] = index.get_nns_by_vector([*query.tolist(), 0.0], count, search_nodes)
        return found

    if not nearest(vectors[0, :-1], 1):
        raise ValueError(f"{path.name} finds nothing near its first item")
    return nearest


def require_sound(path: Path, vectors: FloatArray) -> None:
    """ValueError unless a search in the file can neither leave it, nor go round in circles, nor name a wrong item."""
    items, width = vectors.shape
    numbers = HEAD_NUMBERS + width
    if path.stat().st_size % (4 * numbers) or path.stat().st_size <= 4 * numbers * items:
        raise ValueError(f"{path.name} does not have the size of an index of {items} vectors of {width} numbers")
    nodes = np.asarray(np.memmap(path, "<i4", "r")).reshape(-1, numbers)
    held = nodes[:items, HEAD_NUMBERS:].view("<f4")
    if (nodes[:items, 0] != 1).any() or not np.allclose(held, vectors, rtol=1e-4, atol=1e-5):
        raise ValueError(f"{path.name} does not hold the vectors of {items} companies")
    if nodes[-1, 0] != items or not all(_sound(ids, part, items) for ids, part in _chunks(nodes, items)):
        raise ValueError(f"{path.name} has broken trees")


def _chunks(nodes: IntArray, first: int) -> Iterator[tuple[NDArray[np.int64], IntArray]]:
    for start in range(first, len(nodes), CHUNK_NODES):
        part = nodes[start : start + CHUNK_NODES]
        yield np.arange(start, start + len(part)), part


def _sound(ids: NDArray[np.int64], nodes: IntArray, items: int) -> bool:
    descendants, below = nodes[:, 0], nodes[:, 1:]
    capacity = below.shape[1]
    leaf = descendants <= capacity
    filled = np.arange(capacity) < descendants[leaf, None]
    listed = below[leaf][filled]
    children = below[~leaf, :2]
    return bool(
        (descendants >= 1).all()
        and ((listed >= 0) & (listed < items)).all()
        and ((children >= 0) & (children < ids[~leaf, None])).all()
    )
