"""Lists of many clients at once are those that the recommender would answer."""

import numpy as np

from services.contracts.bundle import Tuning
from services.contracts.ranking import Query, padded, rank
from services.indexer.domain.model import Shape, prepare
from services.indexer.domain.scoring import new_companies
from tests.unit.contracts.test_ranking import exactly_nearest
from tests.unit.indexer.planted import known, payments, planted

TUNING = Tuning(decay=0.5, shrinkage=1.0, trend=0.15, popularity=0.3)


def test_lists_are_those_of_the_exact_ranking() -> None:
    model = prepare(known(planted()), Shape(16, 2, 0), TUNING.decay).model(TUNING)
    factors = model.served_through(exactly_nearest(padded(model.target)[:, :-1]))
    clients = np.arange(0, 200, 3)

    lists = new_companies(model, clients)

    for client, found in zip(clients.tolist(), lists.tolist(), strict=True):
        expected = rank(factors, model.histories.of(client), Query(10))
        assert found == [place.company for place in expected if place.modelled]


def test_a_list_ends_with_the_companies_of_the_index() -> None:
    model = prepare(
        known(payments([(0, 0, 1.0), (1, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0), (2, 0, 1.0)])), Shape(4, 2, 0), 0.5
    )

    lists = new_companies(model.model(TUNING), np.array([0, 2]))

    assert lists.tolist() == [[-1] * 10, [1] + [-1] * 9]


def test_of_no_clients_there_is_no_list() -> None:
    model = prepare(known(payments([(0, 0, 1.0)])), Shape(4, 2, 0), 0.5).model(TUNING)

    assert new_companies(model, np.array([], dtype=np.int64)).shape == (0, 10)
