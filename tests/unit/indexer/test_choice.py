"""The choice of the shrinkage."""

from services.indexer.domain.choice import SHRINKAGES, USUAL_SHRINKAGE, choose_shrinkage
from services.indexer.domain.model import Shape
from tests.unit.contracts.test_ranking import exactly_nearest
from tests.unit.indexer.planted import payments, planted

SHAPE = Shape(dimension=16, min_clients=2, seed=0)
EVERYONE = 1000


def test_every_shrinkage_is_tried_and_the_best_is_chosen() -> None:
    choice = choose_shrinkage(planted(), SHAPE, lambda vectors: exactly_nearest(vectors[:, :-1]), EVERYONE)

    assert tuple(choice.ndcg) == SHRINKAGES
    assert choice.ndcg[choice.shrinkage] == max(choice.ndcg.values()) > 0


def test_without_a_client_to_judge_by_the_usual_one_is_taken() -> None:
    choice = choose_shrinkage(payments([(0, 0, 1.0)]), SHAPE, exactly_nearest, EVERYONE)

    assert (choice.shrinkage, choice.ndcg) == (USUAL_SHRINKAGE, {})
