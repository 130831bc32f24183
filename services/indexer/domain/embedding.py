"""Source and target factors of companies from who is paid by the same clients.

A linear autoencoder, as EASE (Steck 2019, https://arxiv.org/abs/1905.03375), but written in the leading eigenvectors of
the co-occurrence matrix: B = source . target' without its diagonal. No companies x companies matrix is inverted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.indexer.domain.cooccurrence import EXACT_COMPANIES, Symmetric
from services.indexer.domain.engine import Block
from services.indexer.domain.weighting import Floats

# The iteration keeps so many vectors for each that is wanted, in at least so many blocks of at most so many. Where
# there are no more companies than that, the whole matrix is decomposed instead.
VECTORS_KEPT = 4
LEAST_BLOCKS = 16
WIDEST_BLOCK = 64
NARROWEST_BLOCK = 8
# Singular values below this share of the largest are noise where numbers have 4 bytes, and say nothing elsewhere.
NEGLIGIBLE = 1e-3
LEAST_REST = 1e-3

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The largest singular values (d,), descending, and the companies' coordinates (companies, d) of their vectors."""

    values: Floats
    axes: Floats


def decompose(squared: Symmetric, dimension: int, seed: int) -> Decomposition:
    """At most `dimension` right singular vectors of X from X'X; fewer when its rank is lower, but at least one.

    Signs are fixed (the largest coordinate of each is positive), so that the same matrix gives the same numbers.
    """
    blocks, width = _blocks(dimension)
    is_small = squared.size <= max(EXACT_COMPANIES, blocks * width)
    energy, axes = _all(squared) if is_small else _leading(squared, dimension, seed)
    values = np.sqrt(np.maximum(energy[:dimension], 0.0))
    if not values.any():
        return Decomposition(np.zeros(1), np.zeros((squared.size, 1)))
    kept = max(1, int(np.count_nonzero(values > values[0] * NEGLIGIBLE)))
    axes = axes[:, :kept]
    leading = axes[np.abs(axes).argmax(axis=0), np.arange(kept)]
    return Decomposition(values[:kept], axes * np.where(leading < 0, -1.0, 1.0))


def factors(decomposition: Decomposition, scale: Floats, shrinkage: float) -> tuple[FloatArray, FloatArray]:
    """(source, target), each (companies, d). `scale`: what each company's column was multiplied by.

    Ridge regularisation: shrinkage x the mean squared singular value. What it leaves of each axis is squared, as if it
    were done twice: weak axes fade sooner. A company does not vote for itself: its target is divided by what is left
    of it without itself.
    """
    energy = decomposition.values**2
    shrink = (energy / np.maximum(energy + shrinkage * energy.mean(), np.finfo(np.float64).tiny)) ** 2
    axes = decomposition.axes
    rest = np.maximum(1.0 - (axes**2 * shrink).sum(axis=1), LEAST_REST)
    source = axes * shrink * scale[:, None]
    target = axes / (rest * scale)[:, None]
    return source.astype(np.float32, order="C"), target.astype(np.float32, order="C")


def _all(squared: Symmetric) -> tuple[Floats, Floats]:
    energy, axes = np.linalg.eigh(squared.times(np.eye(squared.size)).astype(np.float64))
    return energy[::-1], axes[:, ::-1]


def _blocks(dimension: int) -> tuple[int, int]:
    width = min(max(dimension // VECTORS_KEPT, NARROWEST_BLOCK), WIDEST_BLOCK)
    return max(-(-VECTORS_KEPT * dimension // width), LEAST_BLOCKS), width


def _leading(squared: Symmetric, dimension: int, seed: int) -> tuple[Floats, Floats]:
    """Eigenvalues and vectors, largest first, by block Lanczos: the best in the span of S, MS, MMS, … of a random S.

    Every block is made orthogonal to all before it. Musco and Musco 2015, https://arxiv.org/abs/1504.05477
    """
    blocks, width = _blocks(dimension)
    basis = np.empty((blocks * width, squared.size), dtype=np.float32)
    within = np.zeros((blocks * width, blocks * width))
    image = np.random.default_rng(seed).standard_normal((squared.size, width), dtype=np.float32)
    for first in range(0, blocks * width, width):
        last = first + width
        block = _orthonormal(image, basis[:first])
        basis[first:last] = block.T
        image = squared.times(block)
        within[:last, first:last] = basis[:last] @ image
    energy, vectors = np.linalg.eigh(within, UPLO="U")
    return energy[::-1], (basis.T @ vectors[:, : -dimension - 1 : -1]).astype(np.float64)


def _orthonormal(block: Block, basis: Block) -> Block:
    """What of its columns is not in the rows of the basis, made orthonormal: twice, as once loses digits.

    By the eigenvectors of block'block, which for tall blocks is several times as quick as QR; a column that says
    nothing new ends as zeros or noise. Stathopoulos and Wu 2002, https://doi.org/10.1137/S1064827500370883
    """
    for _ in range(2):
        rest = (block - basis.T @ (basis @ block)).astype(np.float64)
        squares, axes = np.linalg.eigh(rest.T @ rest)
        least = max(squares[-1] * np.finfo(np.float64).eps, np.finfo(np.float64).tiny)
        block = (rest @ (axes / np.sqrt(np.maximum(squares, least)))).astype(np.float32)
    return block
