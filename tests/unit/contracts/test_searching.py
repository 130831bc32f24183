"""The search without an index."""

from dataclasses import replace

import numpy as np

from services.contracts.ranking import LONGEST, Factors, FloatArray, History, Query, padded, rank
from services.contracts.searching import exactly_nearest

POPULAR = np.arange(3 * LONGEST, dtype=np.int32)


def targets() -> FloatArray:
    """Many short ones, and one in five a hundred times as long; popularity's place is empty."""
    random = np.random.default_rng(4)
    vectors = random.normal(size=(3 * LONGEST, 4))
    vectors[::5] *= 100
    vectors[:, -1] = 0
    return vectors.astype(np.float32)


def factors(target: FloatArray) -> Factors:
    return Factors(target, target, POPULAR, exactly_nearest(target), 1.0)


def history(company: int) -> History:
    one = np.ones(1, np.float32)
    return History(np.array([company], np.int32), one, one)


def test_the_nearest_are_those_with_the_largest_products_in_their_order() -> None:
    target, query = targets(), np.array([1, -2, 3, 1, 0], np.float32)

    found = exactly_nearest(target)(query, 50)

    assert list(found) == np.argsort(-(target @ query[:-1]), kind="stable")[:50].tolist()
    assert len(exactly_nearest(target[:7])(query, 50)) == 7


def test_companies_of_the_longest_targets_are_candidates_even_if_nothing_is_found_near() -> None:
    exact = factors(targets())
    blind = replace(exact, nearest=lambda _vector, _count: ())

    assert rank(blind, history(1), Query(10)) == rank(exact, history(1), Query(10))


def test_padded_targets_but_for_the_longest_have_one_norm_and_the_order_of_their_products() -> None:
    target = targets()
    lengths = np.linalg.norm(target, axis=1)
    short = np.argsort(-lengths, kind="stable")[LONGEST:]
    query = np.array([1, 2, -1, 1], np.float32)

    vectors = padded(target)

    norms = np.linalg.norm(vectors, axis=1)
    assert np.allclose(norms, np.sort(lengths)[-LONGEST], rtol=1e-5)
    angles = vectors[short] @ np.append(query, np.float32(0))
    assert np.allclose(angles, target[short] @ query, rtol=1e-5)
