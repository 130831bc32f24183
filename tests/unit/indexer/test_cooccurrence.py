"""Co-occurrence as a sum over ranges of clients, in both of its forms."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from services.indexer.domain.cooccurrence import Gram, Limits, Matrix, Scattered, client_matrix, cooccurrence
from services.indexer.domain.engine import LOCAL, Block, Engine
from tests.unit.indexer.matrices import sparse_pairs

# Many ranges of clients and many tiles, though the matrix is small.
NARROW = Limits(pairs_of_range=3000, cells_of_tile=40_000)
NO_GRAM = Limits(pairs_of_range=3000, companies_of_gram=0)


class Backwards:
    """Does the last task first, as a cluster may, and gives the results in the order of the tasks."""

    def place(self, value: object) -> Any:
        return value

    def run(self, work: Callable[..., Block], tasks: Iterable[tuple[Any, ...]]) -> Iterator[Block]:
        return reversed([work(*task) for task in reversed(list(tasks))])


def block(size: int, seed: int = 0) -> Block:
    return np.random.default_rng(seed).standard_normal((size, 5)).astype(np.float32)


@pytest.mark.parametrize("limits", [Limits(), NARROW, NO_GRAM])
def test_its_product_is_that_of_the_whole_matrix_with_its_transpose(limits: Limits) -> None:
    matrix = sparse_pairs(clients=900, companies=1100, pairs=20_000)
    vectors = block(1100)

    product = cooccurrence(matrix, LOCAL, limits).times(vectors)

    assert np.allclose(product, matrix.T @ (matrix @ vectors), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("limits", [NARROW, NO_GRAM])
@pytest.mark.parametrize("engine", [LOCAL, Backwards()])
def test_it_has_the_same_bytes_wherever_and_whenever_its_parts_were_made(limits: Limits, engine: Engine) -> None:
    matrix = sparse_pairs(clients=900, companies=1100, pairs=20_000)

    product = cooccurrence(matrix, engine, limits).times(block(1100))

    assert product.tobytes() == cooccurrence(matrix, LOCAL, limits).times(block(1100)).tobytes()


def test_of_the_whole_only_the_upper_half_is_held() -> None:
    squared = cooccurrence(sparse_pairs(900, 1100, 20_000), LOCAL, NARROW)

    assert isinstance(squared, Gram)
    assert sum(band.size for band in squared.bands) < 0.55 * 1100**2


def test_above_the_limit_nothing_is_as_large_as_the_square_of_the_companies() -> None:
    companies = 300_000
    matrix = sparse_pairs(clients=2000, companies=companies, pairs=20_000)
    vectors = block(companies)

    squared = cooccurrence(matrix, LOCAL)

    assert isinstance(squared, Scattered)
    assert np.allclose(squared.times(vectors), matrix.T @ (matrix @ vectors), rtol=1e-3, atol=1e-3)


def test_few_companies_are_summed_without_rounding_to_four_bytes() -> None:
    matrix = sparse_pairs(clients=50, companies=40, pairs=400)

    whole = cooccurrence(matrix, LOCAL).times(np.eye(40))

    assert whole == pytest.approx((matrix.T @ matrix).toarray(), rel=1e-14)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3, 3)])
def test_nobody_who_paid_anything_gives_zeros(shape: tuple[int, int]) -> None:
    product = cooccurrence(Matrix(shape), LOCAL).times(np.ones((shape[1], 2)))

    assert product.tolist() == [[0.0, 0.0]] * shape[1]


def test_the_matrix_of_clients_holds_scaled_weights_of_the_first_companies() -> None:
    offsets = np.array([0, 3, 3, 4])
    companies = np.array([0, 1, 4, 1], dtype=np.int32)
    weights = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32)

    matrix = client_matrix(offsets, companies, weights, np.array([10.0, 0.5, 1.0]))

    assert matrix.toarray().tolist() == [[10.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    assert weights.tolist() == [1.0, 2.0, 3.0, 4.0]
