"""Answers as the bytes of their messages, joined from parts: what repeats is encoded once.

A company's part (id, code, name, category) is encoded when it is first recommended, and kept with the index; its score
and strategy are put behind it. Parsed, the bytes are what protobuf itself would have made of messages.py's.
"""

from collections.abc import Iterable
from struct import Struct
from time import time

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts.ranking import Places
from services.contracts.recommendation_ids import ID_CHARACTERS, encoded
from services.recommender import messages
from services.recommender.domain.recommending import Recommendations, Strategy
from services.recommender.domain.snapshot import AnswerTail, Snapshot

VARINT, FIXED64, BYTES = 0, 1, 2


def _tag(message: type, field: str, wire: int) -> int:
    """The byte before a field's value; of a field whose number is below 16."""
    return int(message.DESCRIPTOR.fields_by_name[field].number) << 3 | wire  # type: ignore[attr-defined]


RECOMMENDATIONS = bytes([_tag(pb.RecommendResponse, "recommendations", BYTES)])
ID = bytes([_tag(pb.RecommendResponse, "recommendation_id", BYTES), ID_CHARACTERS])
RESPONSES = bytes([_tag(pb.BatchRecommendResponse, "responses", BYTES)])
HEAD = Struct("<BBBB")
STRATEGY, KNOWN = _tag(pb.RecommendResponse, "strategy", VARINT), _tag(pb.RecommendResponse, "client_known", VARINT)
PLACE = Struct("<BdBBBB")
SCORE = _tag(pb.Recommendation, "score", FIXED64)
PLACE_STRATEGY, PAID = _tag(pb.Recommendation, "strategy", VARINT), _tag(pb.Recommendation, "already_paid", VARINT)
POPULAR = int(pb.STRATEGY_POPULAR)
# For bytes.translate, of strategies of the domain.
ENCODED = bytes(int(messages.STRATEGIES[Strategy(each)]) if each in set(Strategy) else 0 for each in range(256))


def answer(snapshot: Snapshot, found: Recommendations, number: int) -> bytes:
    """A RecommendResponse; `number`: one that no other answer has."""
    if found.explanation:
        return messages.recommend_response(snapshot, found, number).SerializeToString()
    return unexplained(snapshot, found.ranked, found.strategies, found.client_known, number)


def batch(answers: Iterable[bytes]) -> bytes:
    """A BatchRecommendResponse of RecommendResponses."""
    return b"".join(part for each in answers for part in (RESPONSES, _varint(len(each)), each))


def unexplained(snapshot: Snapshot, places: Places, strategies: bytes, known: bool, number: int) -> bytes:
    """A RecommendResponse without reasons; strategies: a Strategy for each place."""
    strategies = strategies.translate(ENCODED)
    tail = snapshot.parts.tail
    if tail is None or tail.publication is not snapshot.publication:
        tail = snapshot.parts.tail = _tail(snapshot)
    kept, pack = snapshot.parts.companies, PLACE.pack
    companies, scores, _, paid = places
    parts: list[bytes] = []
    for company, score, strategy, is_paid in zip(companies, scores, strategies, paid, strict=True):
        parts += (
            kept.get(company) or _company(snapshot, company),
            pack(SCORE, score, PLACE_STRATEGY, strategy, PAID, is_paid),
        )
    leading = strategies[0] if strategies else POPULAR
    parts += (
        HEAD.pack(STRATEGY, leading, KNOWN, known),
        tail.content,
        ID,
        encoded(tail.origin, leading, int(time()), number),
    )
    return b"".join(parts)


def _company(snapshot: Snapshot, company: int) -> bytes:
    """With the length of the whole place before it, which is closed by a PLACE. It is kept."""
    content = messages.company_part(snapshot.catalogue.table, company).SerializeToString()
    part = snapshot.parts.companies[company] = RECOMMENDATIONS + _varint(len(content) + PLACE.size) + content
    return part


def _tail(snapshot: Snapshot) -> AnswerTail:
    """What all answers of an index say of it."""
    told = pb.RecommendResponse(index=messages.index_reference(snapshot), variant=snapshot.variant)
    return AnswerTail(snapshot.publication, told.SerializeToString(), messages.origin_of(snapshot))


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
