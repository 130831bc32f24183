"""The rivals, by hand on a few payments."""

import numpy as np
import pandas as pd
import pytest

from bench.quality import classic
from bench.quality.paid import Paid, best, paid_of
from bench.quality.prototype import prototype
from services.indexer.domain.evaluation import Task
from tests.unit.indexer.planted import payments

# Company 3 has three clients, 0 and 1 have two, 2 has one; 4 is never paid.
ROWS = [(0, 3, 1.0), (0, 0, 2.0), (1, 3, 3.0), (1, 0, 4.0), (1, 1, 9.0), (2, 3, 0.0), (2, 1, 5.0), (2, 2, 10.0)]
PAYMENTS = payments([*ROWS, (0, 0, 2.5)], companies=5)
EVERYBODY = np.arange(3)


@pytest.fixture
def paid() -> Paid:
    return paid_of(PAYMENTS)


def test_columns_are_the_companies_paid_the_most_popular_first(paid: Paid) -> None:
    assert paid.numbers.tolist() == [3, 0, 1, 2]
    assert paid.ones().toarray().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1]]
    assert paid.matrix(paid.count).toarray()[0].tolist() == [1, 2, 0, 0]
    assert paid.matrix(paid.age).toarray()[1].tolist() == pytest.approx([0.7, 0.6, 0.1, 0])


def test_the_best_come_first_and_of_equals_the_first() -> None:
    assert best(np.array([0.0, 2.0, 1.0, 2.0]), 3).tolist() == [1, 3, 2]
    assert best(np.array([0.0, 1.0, 1.0, 1.0]), 2).tolist() == [1, 2]
    assert best(np.array([1.0, -np.inf, 2.0]), 3).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("task", "lists"), [("new", [[1, 2], [2], [0]]), ("any", [[3, 0], [3, 0], [3, 0]])], ids=["new", "any"]
)
def test_popularity_recommends_the_same_to_all_but_for_what_they_paid(
    paid: Paid, task: Task, lists: list[list[int]]
) -> None:
    assert classic.popularity(paid)(EVERYBODY, task, 2) == lists


def test_the_own_history_is_ranked_by_frequency_and_recency_before_all_others(paid: Paid) -> None:
    assert classic.own_history(paid)(EVERYBODY, "any", 4) == [[0, 3, 1, 2], [1, 0, 3, 2], [2, 1, 3, 0]]


def test_item_neighbours_add_up_their_cosines(paid: Paid) -> None:
    # To what client 0 paid, 3 and 0: company 1 has 2/sqrt(3*2) + 1/2; company 2 has 1/sqrt(3) and nothing.
    assert classic.item_knn(paid)(EVERYBODY, "new", 1) == [[1], [2], [0]]
    assert classic.item_knn(paid)(np.array([0]), "new", 4) == [[1, 2]]


def test_user_neighbours_recommend_what_the_alike_paid(paid: Paid) -> None:
    assert classic.user_knn(paid)(np.array([0]), "new", 4) == [[1, 2]]


def test_ease_is_the_closed_form_of_least_squares_with_a_zero_diagonal(paid: Paid) -> None:
    ones = paid.ones().toarray()
    scores = np.zeros((3, 4))
    for company in range(4):
        others = [other for other in range(4) if other != company]
        sides = ones[:, others]
        weights = np.linalg.solve(sides.T @ sides + classic.RIDGE * np.eye(3), sides.T @ ones[:, company])
        scores[:, company] = sides @ weights

    lists = classic.ease(paid)(EVERYBODY, "any", 4)

    assert lists == [paid.numbers[best(row, 4)].tolist() for row in scores]


def test_the_prototype_looks_around_the_directions_of_what_the_client_paid(paid: Paid) -> None:
    flags = pd.array([None] * 5, "boolean")
    catalogue = pd.DataFrame({"category_id": pd.array([1] * 5, "Int64"), "is_top_biller": flags})

    lists = prototype(PAYMENTS, catalogue, paid)

    assert [sorted(each) for each in lists(EVERYBODY, "new", 4)] == [[1, 2], [2], [0]]
    assert [sorted(each) for each in lists(EVERYBODY, "any", 4)] == [[0, 1, 2, 3]] * 3
