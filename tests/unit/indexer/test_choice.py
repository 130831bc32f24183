"""The choice of the model's numbers by trial."""

import numpy as np

from services.contracts.bundle import Tuning
from services.indexer.domain.choice import USUAL, choose
from services.indexer.domain.model import Shape
from services.indexer.domain.payments import Payments
from tests.unit.indexer.planted import payments, planted

SHAPE = Shape(dimension=16, min_clients=2, seed=0)
EVERYONE = 1000


def without_kinds(clients: int = 400, companies: int = 60, seed: int = 3) -> Payments:
    """All clients are of one kind: whom they pay depends on nothing but how popular it is."""
    rng = np.random.default_rng(seed)
    chances = 1.0 / np.arange(1, companies + 1)
    rows = [
        (client, int(company), float(rng.random() * 100))
        for client in range(clients)
        for company in rng.choice(companies, 6, p=chances / chances.sum())
    ]
    return payments(rows, companies)


def test_the_usual_numbers_are_tried_and_one_of_each_kind_beside_them() -> None:
    choice = choose(planted(), SHAPE, EVERYONE)

    tried = [trial.tuning for trial in choice.trials]
    assert tried[0] == choice.usual == USUAL
    assert len(set(tried)) == len(tried)
    for name in Tuning.model_fields:
        assert len({getattr(tuning, name) for tuning in tried}) > 1


def test_what_is_chosen_was_tried_and_is_no_worse_than_the_usual() -> None:
    choice = choose(planted(), SHAPE, EVERYONE)

    chosen = next(trial for trial in choice.trials if trial.tuning == choice.chosen)
    assert chosen.gain >= 0
    assert chosen.gain_low <= chosen.gain <= chosen.gain_high
    assert chosen.ndcg_low <= chosen.ndcg <= chosen.ndcg_high


def test_gains_are_told_beside_the_usual() -> None:
    choice = choose(planted(), SHAPE, EVERYONE)

    usual = choice.trials[0]
    assert (usual.gain, usual.gain_low, usual.gain_high) == (0, 0, 0)
    for trial in choice.trials:
        assert np.isclose(trial.gain, trial.ndcg - usual.ndcg)


def test_where_clients_are_all_of_one_kind_popularity_gets_a_weight() -> None:
    choice = choose(without_kinds(), SHAPE, EVERYONE)

    assert choice.chosen.popularity > 0


def test_where_there_are_kinds_popularity_does_not_rule() -> None:
    choice = choose(planted(), SHAPE, EVERYONE)

    assert choice.chosen.popularity < 1


def test_few_clients_to_judge_by_leave_the_usual_numbers_untried() -> None:
    choice = choose(planted(clients=20), SHAPE, EVERYONE)

    assert (choice.chosen, choice.trials) == (USUAL, ())


def test_no_more_clients_judge_than_the_limit_at_each_cut() -> None:
    choice = choose(planted(), SHAPE, limit=60)

    assert choice.clients == 120


def test_the_same_payments_give_the_same_choice() -> None:
    assert choose(planted(), SHAPE, EVERYONE) == choose(planted(), SHAPE, EVERYONE)


def test_payments_without_a_pair_after_the_cut_leave_the_usual_numbers() -> None:
    choice = choose(payments([(0, 0, 1.0)]), SHAPE, EVERYONE)

    assert (choice.chosen, choice.clients) == (USUAL, 0)
