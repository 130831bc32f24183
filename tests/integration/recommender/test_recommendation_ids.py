"""Each answer has an id of its own that tells where it came from."""

from datetime import UTC, datetime, timedelta

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts.recommendation_ids import decoded
from tests.integration.recommender.bundles import COLD_CLIENT, client_of
from tests.integration.recommender.serving import Recommender


async def test_an_answer_has_an_id_that_tells_epoch_strategy_and_time(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=client_of(1))

    told = decoded(answer.recommendation_id)
    assert (told.epoch, told.experiment, told.role) == (answer.index.epoch, 0, "main")
    assert told.strategy == answer.strategy == pb.STRATEGY_COLLABORATIVE
    assert abs(told.made_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_ids_are_of_the_strategy_of_their_list(recommender: Recommender) -> None:
    answer = await recommender.recommend(client_id=COLD_CLIENT)

    assert decoded(answer.recommendation_id).strategy == pb.STRATEGY_POPULAR


async def test_the_same_question_twice_and_each_of_a_batch_have_ids_of_their_own(recommender: Recommender) -> None:
    question = pb.RecommendRequest(client_id=client_of(1), max_results=3)
    batch = await recommender.stub.BatchRecommend(pb.BatchRecommendRequest(requests=[question] * 50), timeout=20)
    once, again = [(await recommender.recommend(client_id=client_of(1))).recommendation_id for _ in range(2)]

    assert len({once, again, *(answer.recommendation_id for answer in batch.responses)}) == 52
