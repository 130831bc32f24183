"""Calls of a polite client on a world, drawn by chance, the same for the same seed."""

import random
from functools import partial
from typing import Any

from afin.recommender.v1 import recommender_pb2 as pb
from tests.serving.polite import DEADLINE_SECONDS, Call
from tests.serving.world import MAX_RESULTS, World

DRAWN = 500
SEED = 7


def plain_calls(world: World) -> list[Call]:
    """Of known clients."""
    chance = random.Random(SEED)
    return [partial(recommend, world.plain(chance)) for _ in range(DRAWN)]


def mixed_calls(world: World) -> list[Call]:
    """Of seven calls four are plain; the others: a basket, a small batch, and companies like another."""
    chance = random.Random(SEED)
    return [_mixed(world, chance, number % 7) for number in range(DRAWN)]


def _mixed(world: World, chance: random.Random, kind: int) -> Call:
    if kind == 0:
        return partial(recommend, world.basket(chance))
    if kind == 1:
        return partial(_batch, world.batch(chance, size=5))
    if kind == 2:
        return partial(
            _similar, pb.SimilarCompaniesRequest(company_code=chance.choice(world.codes), max_results=MAX_RESULTS)
        )
    return partial(recommend, world.plain(chance))


async def recommend(request: pb.RecommendRequest, stub: Any) -> Any:
    return await stub.Recommend(request, timeout=DEADLINE_SECONDS)


async def _batch(request: pb.BatchRecommendRequest, stub: Any) -> Any:
    return await stub.BatchRecommend(request, timeout=DEADLINE_SECONDS)


async def _similar(request: pb.SimilarCompaniesRequest, stub: Any) -> Any:
    return await stub.SimilarCompanies(request, timeout=DEADLINE_SECONDS)
