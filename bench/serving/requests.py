"""What is asked: plain calls of clients drawn uniformly from all, and baskets of one to five companies."""

import random

from afin.recommender.v1 import recommender_pb2 as pb
from bench.serving.frames import message
from bench.serving.indexes import Served

DRAWN = 20_000
MAX_RESULTS = 10
LARGEST_BASKET = 5
SEED = 11


def plain(served: Served) -> list[pb.RecommendRequest]:
    """Of known clients, with nothing special asked."""
    chance = random.Random(SEED)  # noqa: S311 - not for secrets
    clients = chance.choices(served.clients, k=DRAWN)
    return [pb.RecommendRequest(client_id=client, max_results=MAX_RESULTS) for client in clients]


def baskets(served: Served) -> list[pb.RecommendRequest]:
    """Companies as often as they are paid; one that comes twice is given once."""
    chance = random.Random(SEED)  # noqa: S311 - not for secrets
    drawn = (chance.choices(served.paid_codes, k=chance.randint(1, LARGEST_BASKET)) for _ in range(DRAWN))
    return [pb.RecommendRequest(company_codes=dict.fromkeys(codes), max_results=MAX_RESULTS) for codes in drawn]


def messages(requests: list[pb.RecommendRequest]) -> list[bytes]:
    """As they are sent."""
    return [message(request.SerializeToString()) for request in requests]
