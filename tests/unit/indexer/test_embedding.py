"""Factors of companies from a client x company matrix."""

import numpy as np
import pytest
from scipy import sparse

from services.indexer.domain.embedding import Matrix, decompose, factors
from services.indexer.domain.weighting import Floats


def matrix_of(dense: Floats) -> Matrix:
    return sparse.csr_matrix(dense)


def random_matrix(clients: int, companies: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.random((clients, companies)) * (rng.random((clients, companies)) < 0.3)


@pytest.mark.parametrize(("clients", "companies"), [(60, 9), (9, 60), (90, 80), (80, 90)])
def test_the_largest_singular_values_are_found_in_order(clients: int, companies: int) -> None:
    dense = random_matrix(clients, companies)

    found = decompose(matrix_of(dense), 6, seed=0)

    assert found.values == pytest.approx(np.linalg.svd(dense, compute_uv=False)[:6])
    assert found.axes.shape == (companies, 6)
    assert found.axes.T @ found.axes == pytest.approx(np.eye(6), abs=1e-8)


@pytest.mark.parametrize("shape", [(60, 9), (90, 80)])
def test_each_axis_has_its_largest_coordinate_above_zero(shape: tuple[int, int]) -> None:
    axes = decompose(matrix_of(random_matrix(*shape)), 5, seed=0).axes

    assert (axes[np.abs(axes).argmax(axis=0), np.arange(5)] > 0).all()


def test_the_same_matrix_gives_the_same_bytes() -> None:
    matrix = matrix_of(random_matrix(90, 80))

    one, other = decompose(matrix, 10, seed=0), decompose(matrix, 10, seed=0)

    assert one.values.tobytes() == other.values.tobytes()
    assert one.axes.tobytes() == other.axes.tobytes()


@pytest.mark.parametrize("clients", [50, 500])
def test_there_are_no_more_factors_than_the_matrix_has_rank(clients: int) -> None:
    kinds: Floats = np.repeat(np.eye(3), 100, axis=1)

    found = decompose(matrix_of(kinds[np.arange(clients) % 3]), 20, seed=0)

    assert found.axes.shape == (300, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_the_smallest_matrices_have_one_factor(shape: tuple[int, int]) -> None:
    found = decompose(matrix_of(np.ones(shape)), 128, seed=0)

    assert found.axes.shape == (shape[1], 1)
    assert np.isfinite(found.axes).all()


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (3, 4)])
def test_a_matrix_of_nothing_has_one_factor_of_zeros(shape: tuple[int, int]) -> None:
    decomposition = decompose(matrix_of(np.zeros(shape)), 128, seed=0)

    source, target = factors(decomposition, np.ones(shape[1]), 3.0)

    assert source.shape == target.shape == (shape[1], 1)
    assert not source.any()
    assert not target.any()


def test_with_all_factors_the_product_is_that_of_a_ridge_regression() -> None:
    dense = np.vstack([random_matrix(40, 6), np.zeros((1, 6))])
    decomposition = decompose(matrix_of(np.hstack([dense, np.zeros((41, 1))])), 6, seed=0)
    gram = dense.T @ dense
    ridge = 3.0 * (decomposition.values**2).mean()
    expected = np.linalg.solve(gram + ridge * np.eye(6), gram)

    source, target = factors(decomposition, np.ones(7), 3.0)

    product = (source @ target.T)[:6, :6] * (1 - np.diag(expected))
    assert product == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shape", [(60, 9), (9, 60), (90, 80)])
def test_the_factors_of_one_company_lie_together(shape: tuple[int, int]) -> None:
    decomposition = decompose(matrix_of(random_matrix(*shape)), 5, seed=0)

    for array in factors(decomposition, np.ones(shape[1]), 3.0):
        assert array.flags.c_contiguous
        assert array.dtype == np.float32


def test_shrinkage_lowers_what_companies_say_of_each_other() -> None:
    decomposition = decompose(matrix_of(random_matrix(60, 9)), 8, seed=0)

    weak, strong = (np.abs(factors(decomposition, np.ones(9), shrinkage)[0]).sum() for shrinkage in (1.0, 10.0))

    assert strong < weak
