"""That answers are what they should be, before anybody counts them: through gRPC's own client, field by field."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import grpc

from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc
from bench.serving.requests import MAX_RESULTS

SAMPLE = 200


class WrongAnswerError(Exception):
    """An answer that must not be counted."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Of plain answers the mean size in bytes; how many answers were read."""

    mean_bytes: int
    answers: int


def checked(port: int, plain: Sequence[pb.RecommendRequest], online: Sequence[pb.RecommendRequest]) -> Checked:
    """Asks a sample of both, and reads what comes."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = rpc.RecommenderServiceStub(channel)
        answers = [stub.Recommend(request, timeout=10) for request in plain[:SAMPLE]]
        baskets = [stub.Recommend(request, timeout=10) for request in online[:SAMPLE]]
    for request, answer in zip(chain(plain[:SAMPLE], online[:SAMPLE]), chain(answers, baskets), strict=True):
        codes = {each.company_code for each in answer.recommendations}
        if len(codes) != MAX_RESULTS or codes & set(request.company_codes):
            raise WrongAnswerError(f"{len(codes)} companies of {MAX_RESULTS} were recommended, or some of the basket")
    if not all(answer.client_known for answer in answers):
        raise WrongAnswerError("a client of the index is not known to it")
    return Checked(sum(answer.ByteSize() for answer in answers) // len(answers), len(answers) + len(baskets))
