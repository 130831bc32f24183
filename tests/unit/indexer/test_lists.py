"""Lists of many clients at once are those that the recommender would answer, to the last bit."""

import numpy as np
import pytest

from services.contracts.bundle import Tuning
from services.contracts.candidate_lists import NOBODY
from services.contracts.factors import Factors
from services.contracts.ranking import FROM_HISTORY, MODELLED, POPULAR, Query, Ranked, rank
from services.indexer.domain import lists
from services.indexer.domain.histories import Histories
from services.indexer.domain.lists import Lists, new_lists
from services.indexer.domain.model import Model, Shape, prepare
from services.indexer.domain.payments import Payments
from tests.unit.indexer.planted import known, payments, planted

LENGTH = 20
TUNINGS = {
    "usual": Tuning(decay=0.5, shrinkage=1.0, trend=0.0, popularity=0.0),
    "popular": Tuning(decay=0.5, shrinkage=1.0, trend=0.15, popularity=0.3),
    "nothing but popular": Tuning(decay=None, shrinkage=6.0, trend=0.0, popularity=10.0),
}


def alike(seed: int) -> Payments:
    """Companies of which many are paid by the very same clients: their scores are equal."""
    random = np.random.default_rng(seed)
    rows = [
        (client, 40 * kind + twin, float(random.random() * 100))
        for client in range(60)
        for kind in random.choice(5, 2, replace=False).tolist()
        for twin in range(40 if client % 5 else 3)
    ]
    return payments(rows)


def thin(seed: int) -> Payments:
    """Most companies have one client, and most clients one company."""
    random = np.random.default_rng(seed)
    rows = [(client, int(random.integers(200)), float(random.random() * 100)) for client in range(150)]
    return payments([*rows, *((client, 200 + client % 3, 50.0) for client in range(0, 150, 4))], companies=210)


WORLDS = {
    "groups": planted(seed=2),
    "wide": planted(groups=30, clients=300, size=20),
    "alike": alike(1),
    "thin": thin(1),
}


def places(found: Lists, row: int) -> list[tuple[int, float, bool, bool]]:
    """A row as the ranking tells it."""
    rows = zip(found.companies[row].tolist(), found.scores[row].tolist(), found.kinds[row].tolist(), strict=True)
    return [
        (company, score, kind != POPULAR, kind == FROM_HISTORY) for company, score, kind in rows if company != NOBODY
    ]


def told(ranked: list[Ranked]) -> list[tuple[int, float, bool, bool]]:
    return [(place.company, place.score, place.modelled, place.from_history) for place in ranked]


def made(rows: Payments, tuning: Tuning) -> Model:
    return prepare(known(rows), Shape(16, 2, 0), tuning.decay).model(tuning)


@pytest.mark.parametrize("tuning", TUNINGS)
@pytest.mark.parametrize("world", WORLDS)
def test_the_list_of_every_client_is_that_of_the_exact_ranking(world: str, tuning: str) -> None:
    model = made(WORLDS[world], TUNINGS[tuning])
    factors = model.served_through(None)
    clients = np.arange(len(model.histories.offsets) - 1)

    found = new_lists(factors, model.histories, clients, LENGTH)

    for client in clients.tolist():
        assert places(found, client) == told(rank(factors, model.histories.of(client), Query(LENGTH)))


@pytest.mark.parametrize("first", [10, 60])
@pytest.mark.parametrize("tuning", TUNINGS)
@pytest.mark.parametrize("world", WORLDS)
def test_how_many_companies_are_looked_at_first_changes_nothing(
    world: str, tuning: str, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made(WORLDS[world], TUNINGS[tuning])
    clients = np.arange(len(model.histories.offsets) - 1)
    at_all = new_lists(model.served_through(None), model.histories, clients, LENGTH)

    monkeypatch.setattr(lists, "FIRST", first)

    found = new_lists(model.served_through(None), model.histories, clients, LENGTH)
    assert (found.companies == at_all.companies).all()
    assert (found.scores == at_all.scores).all()
    assert (found.kinds == at_all.kinds).all()


def test_without_scores_left_the_lists_made_ahead_are_those_that_the_first_companies_make(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = WORLDS["wide"]
    model = made(rows, TUNINGS["nothing but popular"])
    monkeypatch.setattr(lists, "FIRST", 100)

    few = lists.lists_ahead(model, rows, 100 * rows.clients)
    every = lists.lists_ahead(model, rows, 10**9)

    assert 0 < len(few.companies) < rows.clients
    for client in np.flatnonzero(few.rows != NOBODY).tolist():
        assert few.companies[few.rows[client]].tolist() == every.companies[every.rows[client]].tolist()
    assert every.rows.tolist() == list(range(rows.clients))


@pytest.mark.parametrize("length", [1, 7])
def test_a_shorter_list_is_the_beginning_of_a_longer_one(length: int) -> None:
    model = made(WORLDS["alike"], TUNINGS["popular"])
    factors = model.served_through(None)
    clients = np.arange(40)

    short = new_lists(factors, model.histories, clients, length)

    assert (
        short.companies.tolist() == new_lists(factors, model.histories, clients, LENGTH).companies[:, :length].tolist()
    )


def test_how_many_are_scored_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(WORLDS["wide"], TUNINGS["usual"])
    clients = np.arange(0, 300, 2)
    at_once = new_lists(model.served_through(None), model.histories, clients, LENGTH)

    monkeypatch.setattr(lists, "SCORES_AT_ONCE", 1)

    one_by_one = new_lists(model.served_through(None), model.histories, clients, LENGTH)
    assert (at_once.companies == one_by_one.companies).all()
    assert (at_once.scores == one_by_one.scores).all()
    assert (at_once.kinds == one_by_one.kinds).all()


def test_what_only_popularity_speaks_for_is_told_from_what_the_history_raised() -> None:
    target = np.array([[1, 0.5], [0, 0.25], [-1, 2.0], [0.5, 0]], dtype=np.float32)
    source = np.array([[1, 0]] * 4, dtype=np.float32)
    factors = Factors(source, target, np.array([4, 0, 1, 2, 3], np.int32), None, 1.0)
    ones = np.ones(1, np.float32)

    found = new_lists(factors, Histories(np.array([0, 1]), np.array([3], np.int32), ones, ones), np.array([0]), 5)

    assert found.companies.tolist() == [[0, 2, 1, 4, NOBODY]]
    assert found.kinds.tolist() == [[FROM_HISTORY, MODELLED, MODELLED, POPULAR, POPULAR]]
    assert found.scores.tolist() == [[1.5, 1.0, 0.25, -1.0, 0.0]]


def test_of_no_clients_there_is_no_list() -> None:
    model = made(payments([(0, 0, 1.0)]), TUNINGS["usual"])

    found = new_lists(model.served_through(None), model.histories, np.array([], dtype=np.int64), LENGTH)

    assert found.companies.shape == (0, LENGTH)
