"""Histories made from what a bundle keeps are those of the build, to the last bit, whoever else is looked at."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.history_model import HistoryModel
from services.indexer.domain.habits import learn_habits
from services.indexer.domain.histories import Histories
from services.indexer.domain.history_model import rules_of, stored_rules
from services.indexer.domain.history_rules import RULES, HistoryRules
from services.indexer.domain.model import Weighed, weigh
from services.indexer.domain.payments import LongInts, Payments
from tests.unit.indexer.planted import known, payments, planted

DECAY = 0.5
WORLD = planted(clients=300)
BUILT = weigh(known(WORLD), 2, DECAY)


def kept_rules(rows: Payments, built: Weighed) -> HistoryRules:
    """Through the manifest's JSON and back."""
    model, tendencies = stored_rules(learn_habits(rows), DECAY, built.companies.numbers)
    read = HistoryModel.from_bytes(model.to_bytes(), "manifest")
    return rules_of(read, tendencies, built.companies.indexed)


RULES_OF_WORLD = kept_rules(WORLD, BUILT)
# Pairs, and the sums of weights and habits, of the first twenty clients.
FIGURES = (153, 52.4712, 36.6303)


def by_dense_ids(rows: Payments, numbers: LongInts, clients: list[int]) -> Payments:
    """The payments of some clients, numbered anew in their order, with dense ids for companies."""
    dense = np.empty(rows.companies, dtype=np.int32)
    dense[numbers] = np.arange(len(numbers), dtype=np.int32)
    mine = rows.where(np.isin(rows.client, clients))
    numbered = np.searchsorted(np.array(sorted(clients)), mine.client).astype(np.int32)
    return replace(mine, client=numbered, company=dense[mine.company], clients=len(clients)).in_order()


def columns_of(histories: Histories, client: int) -> list[bytes]:
    history = histories.of(client)
    return [history.companies.tobytes(), history.weights.tobytes(), history.habits.tobytes()]


def test_the_planted_world_has_learnt_habits() -> None:
    assert RULES_OF_WORLD.habits is not None
    assert RULES_OF_WORLD.habits.learnt is not None


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(0, WORLD.clients - 1), min_size=1))
def test_some_clients_alone_have_the_histories_of_the_build(some: set[int]) -> None:
    clients = sorted(some)

    made = RULES_OF_WORLD.histories(by_dense_ids(WORLD, BUILT.companies.numbers, clients))

    for place, client in enumerate(clients):
        assert columns_of(made, place) == columns_of(BUILT.histories, client)


def test_without_learnt_habits_histories_are_those_of_the_build_too() -> None:
    rows = payments([(0, 0, 1.0), (0, 1, 2.0), (0, 0, 9.0), (1, 1, 10.0), (1, 2, 3.0)])
    built = weigh(known(rows), 1, DECAY)

    made = kept_rules(rows, built).histories(by_dense_ids(rows, built.companies.numbers, [1]))

    assert columns_of(made, 0) == columns_of(built.histories, 1)


def test_clients_without_payments_have_empty_histories() -> None:
    nothing = by_dense_ids(WORLD, BUILT.companies.numbers, [1]).where(slice(0, 0))

    made = RULES_OF_WORLD.histories(replace(nothing, clients=2))

    assert made.offsets.tolist() == [0, 0, 0]


def test_payments_after_the_period_weigh_as_those_of_its_end() -> None:
    newest = int(WORLD.newest)
    rows = by_dense_ids(WORLD, BUILT.companies.numbers, [1])
    at_end, later = (replace(rows, at=np.maximum(rows.at, newest + days)) for days in (0, 10**12))

    made, beyond = RULES_OF_WORLD.histories(at_end), RULES_OF_WORLD.histories(later)

    assert beyond.weights.tolist() == made.weights.tolist()


def test_the_rules_are_those_that_their_number_stands_for() -> None:
    """Fails when the same payments come to other histories: then count RULES on, and give the new figures here."""
    made = RULES_OF_WORLD.histories(by_dense_ids(WORLD, BUILT.companies.numbers, list(range(20))))

    assert RULES == 1
    assert len(made.companies) == FIGURES[0]
    assert float(made.weights.sum()) == pytest.approx(FIGURES[1], rel=1e-5)
    assert float(made.habits.sum()) == pytest.approx(FIGURES[2], rel=1e-5)
