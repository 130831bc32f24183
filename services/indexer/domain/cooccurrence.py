"""Who is paid by the same clients: the symmetric companies x companies matrix X'X of a clients x companies matrix X.

X is cut into ranges of clients; what they give adds up, always in one order, so that the sum has the same bytes
wherever its parts were made. All that is asked of X'X is its product with a block of vectors. It has two forms:

- Gram holds its upper half in numbers of 4 bytes: made once, it is multiplied quickly. Up to Limits.companies_of_gram.
- Scattered never makes it, but multiplies by X and X' in turn: memory grows with companies and with pairs, no faster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from services.indexer.domain.engine import Block, Engine
from services.indexer.domain.payments import Ints, LongInts
from services.indexer.domain.weighting import Floats

# Up to here numbers have 8 bytes: where all of it is decomposed, nothing is lost by rounding.
EXACT_COMPANIES = 1024
CLIENTS_AT_ONCE = 2**16

Matrix = sparse.csr_matrix[np.floating]


@dataclass(frozen=True, slots=True)
class Limits:
    """Half of 16,384 x 16,384 numbers are 512 MiB. What is sent and held at a time: a range of 32 MiB, a tile of 16."""

    companies_of_gram: int = 2**14
    pairs_of_range: int = 2**22
    cells_of_tile: int = 2**22


LIMITS = Limits()


class Symmetric(Protocol):
    """A symmetric matrix that is not negative."""

    @property
    def size(self) -> int:
        """Rows, and columns."""

    def times(self, block: Block) -> Block:
        """(size, any) -> the product, of the same shape."""


@dataclass(frozen=True, slots=True)
class Gram:
    """Bands of rows, each from its diagonal to the right end: half the work and half the memory of a whole matrix."""

    bands: tuple[Block, ...]
    size: int

    def times(self, block: Block) -> Block:
        """See Symmetric."""
        product = np.zeros_like(block)
        first = 0
        for band in self.bands:
            last = first + len(band)
            product[first:last] += band @ block[first:]
            product[last:] += band[:, last - first :].T @ block[first:last]
            first = last
        return product


@dataclass(frozen=True, slots=True)
class Scattered:
    """Ranges of clients, as the engine placed them, and the number of companies."""

    ranges: tuple[Any, ...]
    size: int
    engine: Engine

    def times(self, block: Block) -> Block:
        """See Symmetric. The products of the ranges are added in their order."""
        placed = self.engine.place(block)
        products = self.engine.run(_product, ((clients, placed) for clients in self.ranges))
        return _sum(np.zeros_like(block), products)


def client_matrix(offsets: LongInts, companies: Ints, weights: NDArray[np.floating], scale: Floats) -> Matrix:
    """Clients x the first len(scale) companies: weights times the scale of their company.

    A client's slice is offsets[client] : offsets[client + 1], by company within it.
    """
    width = max(int(companies.max(initial=-1)) + 1, len(scale))
    whole: Matrix = sparse.csr_matrix((weights, companies, offsets), shape=(len(offsets) - 1, width))
    inside = whole[:, : len(scale)]
    cells = (inside.data * scale[inside.indices]).astype(_number(len(scale)), copy=False)
    return sparse.csr_matrix((cells, inside.indices, inside.indptr), shape=inside.shape)


def cooccurrence(matrix: Matrix, engine: Engine, limits: Limits = LIMITS) -> Symmetric:
    """X'X of X, clients x companies; its form depends on the number of companies alone."""
    size = matrix.shape[1]
    matrix = matrix.astype(_number(size), copy=False)
    ranges = _ranges(matrix, limits.pairs_of_range)
    if size > limits.companies_of_gram:
        return Scattered(tuple(map(engine.place, ranges)), size, engine)
    # Both ways round, for a tile takes some companies, which are rows in one piece, and multiplies them by clients.
    both_ways = ((engine.place(clients), engine.place(clients.T.tocsr())) for clients in ranges)
    places = tuple(_bands(size, limits.cells_of_tile))
    bands = tuple(np.zeros((last - first, size - first), dtype=matrix.dtype) for first, last in places)
    for clients, companies in both_ways:
        tiles = engine.run(_tile, ((clients, companies, first, last) for first, last in places))
        for band, tile in zip(bands, tiles, strict=True):
            np.add(band, tile, out=band)
    return Gram(bands, size)


def _ranges(matrix: Matrix, pairs: int) -> Iterator[Matrix]:
    """Successive rows of about as many pairs each, not copied; where they are cut depends on the matrix alone."""
    count = max(1, -(-matrix.nnz // pairs))
    inner = np.searchsorted(matrix.indptr, np.arange(1, count) * (matrix.nnz / count))
    cuts = np.unique([0, *inner.tolist(), matrix.shape[0]]).tolist()
    return (_rows(matrix, first, last) for first, last in pairwise(cuts))


def _rows(matrix: Matrix, first: int, last: int) -> Matrix:
    pairs = slice(int(matrix.indptr[first]), int(matrix.indptr[last]))
    offsets = matrix.indptr[first : last + 1] - matrix.indptr[first]
    return sparse.csr_matrix(
        (matrix.data[pairs], matrix.indices[pairs], offsets), shape=(last - first, matrix.shape[1])
    )


def _number(companies: int) -> type[np.floating]:
    return np.float64 if companies <= EXACT_COMPANIES else np.float32


def _bands(size: int, cells: int) -> Iterator[tuple[int, int]]:
    first = 0
    while first < size:
        last = min(size, first + max(1, cells // (size - first)))
        yield first, last
        first = last


def _tile(clients: Matrix, companies: Matrix, first: int, last: int) -> Block:
    """Of clients x companies, and the same turned: the products of companies `first` .. `last`-1 with all from there.

    Turning them here would take longer than the product: the columns that are asked are only cut out.
    """
    tile: Block = (companies[first:last] @ clients[:, first:]).toarray()
    return tile


def _product(clients: Matrix, block: Block) -> Block:
    cuts = range(0, clients.shape[0], CLIENTS_AT_ONCE)
    some = (clients[first : first + CLIENTS_AT_ONCE] for first in cuts)
    return _sum(np.zeros_like(block), (rows.T @ (rows @ block) for rows in some))


def _sum(total: Block, parts: Iterator[Block]) -> Block:
    for part in parts:
        total += part
    return total
