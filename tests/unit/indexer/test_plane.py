"""Companies on a plane, and how popular they are."""

import numpy as np
import pytest

from services.indexer.domain.plane import clients_of, plane, popularity

RANDOM = np.random.default_rng(0)


def test_two_kinds_of_companies_stand_on_two_sides() -> None:
    kinds = np.repeat([[1.0, 0, 0, 0], [0, 1.0, 0, 0]], 10, axis=0).astype(np.float32)
    target = np.hstack([kinds + RANDOM.normal(0, 0.05, kinds.shape), np.ones((20, 1))]).astype(np.float32)

    places, explained = plane(target)

    assert np.sign(places[:10, 0]).tolist() == [np.sign(places[0, 0])] * 10
    assert np.sign(places[10:, 0]).tolist() == [-np.sign(places[0, 0])] * 10
    assert np.abs(places).max() == 1
    assert 0.9 < explained <= 1


def test_neither_length_nor_popularity_moves_a_company() -> None:
    target = RANDOM.normal(size=(30, 6)).astype(np.float32)
    longer = target * RANDOM.uniform(1, 9, (30, 1)).astype(np.float32)

    assert plane(longer)[0] == pytest.approx(plane(target)[0], abs=1e-5)


@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (5, 2), (5, 1)])
def test_few_companies_or_factors_have_places_all_the_same(shape: tuple[int, int]) -> None:
    places, explained = plane(np.ones(shape, dtype=np.float32))

    assert places.shape == (shape[0], 2)
    assert np.isfinite(places).all()
    assert 0 <= explained <= 1


def test_popularity_goes_from_the_most_paid_to_the_least() -> None:
    clients = clients_of(np.array([0, 0, 0, 2, 2, 1], dtype=np.int32), 4)

    assert popularity(clients) == [(1, 3), (2, 2), (3, 1), (4, 0)]
    assert len(popularity(np.arange(100_000))) <= 200
