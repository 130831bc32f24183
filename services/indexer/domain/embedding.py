"""Source and target factors of companies from a weighted client x company matrix.

A linear autoencoder, as EASE (Steck 2019, https://arxiv.org/abs/1905.03375), but written in the matrix's singular
vectors: B = source . target' without its diagonal. No company x company matrix is ever made.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from services.indexer.domain.weighting import Floats

# Below twice the dimension a full decomposition of the small side is both quicker and surer than an iteration.
SMALL = 2
NEGLIGIBLE = 1e-6
LEAST_REST = 1e-3

Matrix = sparse.csr_matrix[np.float64]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The largest singular values (d,), descending, and the companies' coordinates (companies, d) of their vectors."""

    values: Floats
    axes: Floats


def decompose(matrix: Matrix, dimension: int, seed: int) -> Decomposition:
    """At most `dimension` singular vectors of clients x companies; fewer when its rank is lower, but at least one.

    Signs are fixed (the largest coordinate of each is positive), so that the same matrix gives the same numbers.
    """
    matrix = matrix[np.flatnonzero(np.diff(matrix.indptr))]
    small = min(matrix.shape)
    if small == 0:
        return Decomposition(np.zeros(1), np.zeros((matrix.shape[1], 1)))
    wanted = max(1, min(dimension, small - 1))
    values, axes = _small_svd(matrix) if small <= SMALL * dimension else _iterated_svd(matrix, wanted, seed)
    kept = np.flatnonzero(values > values[0] * NEGLIGIBLE)[:wanted]
    values, axes = values[kept], axes[:, kept]
    leading = axes[np.abs(axes).argmax(axis=0), np.arange(len(kept))]
    return Decomposition(values, axes * np.where(leading < 0, -1.0, 1.0))


def factors(decomposition: Decomposition, scale: Floats, shrinkage: float) -> tuple[FloatArray, FloatArray]:
    """(source, target), each (companies, d). `scale`: what each company's column was multiplied by.

    Ridge regularisation: shrinkage x the mean squared singular value. A company does not vote for itself: its target
    is divided by what is left of it without itself.
    """
    energy = decomposition.values**2
    shrink = energy / np.maximum(energy + shrinkage * energy.mean(), np.finfo(np.float64).tiny)
    axes = decomposition.axes
    rest = np.maximum(1.0 - (axes**2 * shrink).sum(axis=1), LEAST_REST)
    source = axes * shrink * scale[:, None]
    target = axes / (rest * scale)[:, None]
    return source.astype(np.float32, order="C"), target.astype(np.float32, order="C")


def _iterated_svd(matrix: Matrix, wanted: int, seed: int) -> tuple[Floats, Floats]:
    _, values, rows = svds(matrix, k=wanted, rng=np.random.default_rng(seed))
    order = np.argsort(-values, kind="stable")
    return values[order].astype(np.float64), rows[order].T.astype(np.float64)


def _small_svd(matrix: Matrix) -> tuple[Floats, Floats]:
    clients, companies = matrix.shape
    by_company = companies <= clients
    gram = (matrix.T @ matrix if by_company else matrix @ matrix.T).toarray()
    energy, vectors = np.linalg.eigh(gram)
    values, vectors = np.sqrt(np.maximum(energy[::-1], 0.0)), vectors[:, ::-1]
    if by_company:
        return values, vectors
    return values, (matrix.T @ vectors) / np.maximum(values, values[0] * NEGLIGIBLE)
