"""Factors of companies from a client x company matrix."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from services.indexer.domain.cooccurrence import Matrix, Symmetric, cooccurrence
from services.indexer.domain.embedding import decompose, factors
from services.indexer.domain.engine import LOCAL
from services.indexer.domain.weighting import Floats
from tests.unit.indexer.matrices import random_matrix, sparse_pairs


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a training."""
    with threadpool_limits(limits=1):
        yield


def squared(dense: Floats) -> Symmetric:
    return cooccurrence(sparse.csr_matrix(dense), LOCAL)


@pytest.mark.parametrize(("clients", "companies"), [(60, 9), (9, 60), (90, 80), (80, 90)])
def test_the_largest_singular_values_are_found_in_order(clients: int, companies: int) -> None:
    dense = random_matrix(clients, companies)

    found = decompose(squared(dense), 6, seed=0)

    assert found.values == pytest.approx(np.linalg.svd(dense, compute_uv=False)[:6])
    assert found.axes.shape == (companies, 6)
    assert found.axes.T @ found.axes == pytest.approx(np.eye(6), abs=1e-8)


@pytest.mark.parametrize("shape", [(60, 9), (90, 80)])
def test_each_axis_has_its_largest_coordinate_above_zero(shape: tuple[int, int]) -> None:
    axes = decompose(squared(random_matrix(*shape)), 5, seed=0).axes

    assert (axes[np.abs(axes).argmax(axis=0), np.arange(5)] > 0).all()


def test_the_same_matrix_gives_the_same_bytes() -> None:
    matrix = squared(random_matrix(90, 80))

    one, other = decompose(matrix, 10, seed=0), decompose(matrix, 10, seed=0)

    assert one.values.tobytes() == other.values.tobytes()
    assert one.axes.tobytes() == other.axes.tobytes()


@pytest.mark.parametrize("clients", [50, 500])
def test_there_are_no_more_factors_than_the_matrix_has_rank(clients: int) -> None:
    kinds: Floats = np.repeat(np.eye(3), 100, axis=1)

    found = decompose(squared(kinds[np.arange(clients) % 3]), 20, seed=0)

    assert found.axes.shape == (300, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_the_smallest_matrices_have_one_factor(shape: tuple[int, int]) -> None:
    found = decompose(squared(np.ones(shape)), 128, seed=0)

    assert found.axes.shape == (shape[1], 1)
    assert np.isfinite(found.axes).all()


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (3, 4)])
def test_a_matrix_of_nothing_has_one_factor_of_zeros(shape: tuple[int, int]) -> None:
    decomposition = decompose(squared(np.zeros(shape)), 128, seed=0)

    source, target = factors(decomposition, np.ones(shape[1]), 3.0)

    assert source.shape == target.shape == (shape[1], 1)
    assert not source.any()
    assert not target.any()


def test_with_all_factors_the_product_is_that_of_a_ridge_regression_done_twice() -> None:
    dense = np.vstack([random_matrix(40, 6), np.zeros((1, 6))])
    decomposition = decompose(squared(np.hstack([dense, np.zeros((41, 1))])), 6, seed=0)
    gram = dense.T @ dense
    ridge = 3.0 * (decomposition.values**2).mean()
    once = np.linalg.solve(gram + ridge * np.eye(6), gram)
    expected = once @ once

    source, target = factors(decomposition, np.ones(7), 3.0)

    product = (source @ target.T)[:6, :6] * (1 - np.diag(expected))
    assert product == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shape", [(60, 9), (9, 60), (90, 80)])
def test_the_factors_of_one_company_lie_together(shape: tuple[int, int]) -> None:
    decomposition = decompose(squared(random_matrix(*shape)), 5, seed=0)

    for array in factors(decomposition, np.ones(shape[1]), 3.0):
        assert array.flags.c_contiguous
        assert array.dtype == np.float32


def test_shrinkage_lowers_what_companies_say_of_each_other() -> None:
    decomposition = decompose(squared(random_matrix(60, 9)), 8, seed=0)

    weak, strong = (np.abs(factors(decomposition, np.ones(9), shrinkage)[0]).sum() for shrinkage in (1.0, 10.0))

    assert strong < weak


def exactly(matrix: Matrix, dimension: int) -> tuple[Floats, Floats]:
    energy, axes = np.linalg.eigh((matrix.T @ matrix).toarray())
    return np.sqrt(energy[: -dimension - 1 : -1]), axes[:, : -dimension - 1 : -1]


def test_many_companies_have_the_leading_values_that_a_full_decomposition_finds() -> None:
    matrix = sparse_pairs(clients=4000, companies=1100, pairs=60_000)
    values, axes = exactly(matrix, 32)

    found = decompose(cooccurrence(matrix, LOCAL), 32, seed=0)

    assert found.values == pytest.approx(values, rel=1e-3)
    assert found.axes.T @ found.axes == pytest.approx(np.eye(32), abs=1e-4)
    assert np.linalg.norm(axes[:, :16].T @ found.axes) ** 2 == pytest.approx(16, rel=1e-3)


def test_fewer_companies_than_the_iteration_would_keep_vectors_are_decomposed_whole() -> None:
    matrix = sparse_pairs(clients=2000, companies=1040, pairs=30_000)

    found = decompose(cooccurrence(matrix, LOCAL), 259, seed=0)

    assert found.values == pytest.approx(exactly(matrix, 259)[0], rel=1e-3)
    assert found.axes.T @ found.axes == pytest.approx(np.eye(259), abs=1e-4)


@pytest.mark.parametrize("clients", [20, 200])
def test_few_clients_of_many_companies_give_no_more_factors_than_the_rank(clients: int) -> None:
    matrix = sparse_pairs(clients, companies=1100, pairs=20 * clients)
    values, axes = exactly(matrix, min(clients, 64))

    found = decompose(cooccurrence(matrix, LOCAL), 64, seed=0)

    assert found.values == pytest.approx(values, rel=1e-3)
    assert np.linalg.norm(axes.T @ found.axes) ** 2 == pytest.approx(len(values), rel=1e-2)


def test_few_dimensions_of_many_companies_are_found_too() -> None:
    matrix = sparse_pairs(clients=4000, companies=1100, pairs=60_000)

    found = decompose(cooccurrence(matrix, LOCAL), 1, seed=0)

    assert found.values == pytest.approx(exactly(matrix, 1)[0], rel=1e-4)
