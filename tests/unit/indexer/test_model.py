"""The model as a bundle holds it, from the smallest worlds to a planted one."""

import numpy as np
import pytest

from services.contracts.bundle import Tuning
from services.contracts.factors import Nearest, padded
from services.contracts.ranking import Query, rank
from services.indexer.domain.judging import judge
from services.indexer.domain.model import Model, Shape, prepare
from services.indexer.domain.payments import Payments, split_by_time
from tests.unit.contracts.test_ranking import exactly_nearest
from tests.unit.indexer.planted import USUAL, known, payments, planted

SHAPE = Shape(dimension=16, min_clients=2, seed=0)
EVERYONE = 10_000


def fitted(rows: Payments, tuning: Tuning = USUAL) -> Model:
    return prepare(known(rows), SHAPE, tuning.decay).model(tuning)


def nearest(model: Model) -> Nearest:
    return exactly_nearest(padded(model.target)[:, :-1])


def recommended(model: Model, client: int, query: Query) -> list[int]:
    places = rank(model.served_through(nearest(model)), model.histories.of(client), query)
    return [int(model.companies.numbers[place.company]) for place in places]


def test_companies_with_enough_clients_have_the_first_dense_ids() -> None:
    model = fitted(payments([(0, 3, 1), (1, 3, 1), (0, 1, 1), (0, 2, 1), (1, 2, 1)], companies=5))

    assert model.companies.numbers.tolist() == [2, 3, 0, 1, 4]
    assert model.companies.indexed == 2
    assert len(model.target) == 2


def test_popular_counts_distinct_clients_and_ends_with_those_whom_nobody_paid() -> None:
    model = fitted(payments([(0, 1, 1), (0, 1, 2), (0, 1, 3), (0, 2, 1), (1, 2, 1)], companies=4))

    assert model.companies.numbers[model.companies.popular].tolist() == [2, 1, 0, 3]


def test_a_history_names_each_company_once_and_weighs_only_indexed_ones() -> None:
    model = fitted(payments([(0, 0, 1), (0, 0, 2), (0, 1, 3), (1, 1, 1)]))

    history = model.histories.of(0)

    assert model.companies.numbers[history.companies].tolist() == [1, 0]
    assert history.weights[0] > 0
    assert history.weights[1] == 0
    assert history.habits.max() == 1


def test_a_client_of_many_companies_gives_each_less_weight() -> None:
    wide = [(0, company, 10.0) for company in range(16)]
    narrow = [(1, 0, 10.0), (2, 1, 0.0), *((2, company, 10.0) for company in range(1, 16))]
    model = fitted(payments(wide + narrow))

    assert model.histories.of(0).weights[0] == pytest.approx(model.histories.of(1).weights[0] / 2)


def test_planted_groups_are_found() -> None:
    model = fitted(planted())

    mine = [
        sum(company // 10 == client % 4 for company in recommended(model, client, Query(4))) for client in range(200)
    ]

    assert np.mean(mine) > 3.0 * 0.5


def test_on_planted_groups_the_model_beats_popularity_surely() -> None:
    split = split_by_time(planted(), 0.8)
    listed = np.unique(split.before.company).astype(np.int64)
    model = prepare(known(split.before, listed), SHAPE, USUAL.decay).model(USUAL)

    quality = judge(model, split, lambda vectors: exactly_nearest(vectors[:, :-1]), EVERYONE).quality

    assert quality.new is not None
    assert quality.new.gain_low > 0.1
    assert quality.any is not None
    assert quality.any.gain_low > 0.1


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0, 1.0)],
        [(0, 0, 1.0), (0, 0, 2.0)],
        [(0, 0, 1.0), (1, 0, 1.0)],
        [(0, 0, 5.0), (1, 1, 5.0), (2, 2, 5.0)],
        [(0, 0, 5.0), (0, 1, 5.0), (1, 0, 5.0), (1, 1, 5.0)],
        [(0, 0, 1.0), (1, 0, 2.0), (0, 1, 3.0), (1, 1, 4.0), (2, 2, 5.0)],
    ],
    ids=["one payment", "one pair", "one company", "one client each", "one moment", "two indexed"],
)
def test_the_smallest_worlds_have_a_model(rows: list[tuple[int, int, float]]) -> None:
    world = payments(rows)

    model = fitted(world)

    assert np.isfinite(model.source).all()
    assert np.isfinite(model.target).all()
    every = recommended(model, 0, Query(10, include_paid=True))
    assert sorted(every) == list(range(world.companies))


def test_a_company_whose_clients_came_lately_is_raised_by_the_trend() -> None:
    old = [(client, client % 2, 0.0) for client in range(40)] + [(client, 2, 1.0) for client in range(0, 40, 3)]
    rows = payments([*old, *[(client, 3, 99.0 + client / 40) for client in range(0, 40, 3)]])
    plain, raised = (fitted(rows, USUAL.model_copy(update={"trend": power})) for power in (0.0, 0.4))

    ratio = np.linalg.norm(raised.target, axis=1) / np.linalg.norm(plain.target, axis=1)

    assert ratio.argmax() == 3
