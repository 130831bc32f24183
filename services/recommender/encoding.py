"""Answers as the bytes of their messages, joined from parts: what repeats is encoded once.

A company's part (id, code, name, category) is encoded when it is first recommended, and kept with the index; its score
and strategy are put behind it. Parsed, the bytes are what protobuf itself would have made of messages.py's.
"""

from collections.abc import Iterable
from itertools import repeat
from struct import Struct
from time import time

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts.candidate_lists import FROM_HISTORY, NOBODY
from services.contracts.recommendation_ids import ID_CHARACTERS, encoded
from services.recommender import messages
from services.recommender.domain.recommending import Recommendations
from services.recommender.domain.snapshot import AnswerTail, Snapshot

VARINT, FIXED64, BYTES = 0, 1, 2
# A company, and its score, strategy and whether the client pays it already, encoded.
Place = tuple[int, bytes]


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
COLLABORATIVE, POPULAR = int(pb.STRATEGY_COLLABORATIVE), int(pb.STRATEGY_POPULAR)
# For bytes.translate, of the kinds of a list's places.
STRATEGY_OF_KIND = bytes(COLLABORATIVE if kind == FROM_HISTORY else POPULAR for kind in range(256))


def listed_answer(snapshot: Snapshot, row: int, count: int, number: int) -> tuple[bytes, bool]:
    """A RecommendResponse of the first places of a list made ahead, and whether the history leads it."""
    lists = snapshot.lists
    companies = lists.companies[row, :count].tolist()
    if companies[-1] == NOBODY:
        del companies[companies.index(NOBODY) :]
    strategies = lists.kinds[row, : len(companies)].tobytes().translate(STRATEGY_OF_KIND)
    scores = lists.scores[row, : len(companies)].tolist()
    places = map(PLACE.pack, repeat(SCORE), scores, repeat(PLACE_STRATEGY), strategies, repeat(PAID), repeat(False))
    strategy = strategies[0] if companies else POPULAR
    return _response(snapshot, zip(companies, places, strict=True), (strategy, True), number), strategy == COLLABORATIVE


def answer(snapshot: Snapshot, found: Recommendations, number: int) -> bytes:
    """A RecommendResponse; `number`: one that no other answer has."""
    if found.explanation:
        return messages.recommend_response(snapshot, found, number).SerializeToString()
    strategies, pack = messages.STRATEGIES, PLACE.pack
    places = [
        (each.company, pack(SCORE, each.score, PLACE_STRATEGY, strategies[each.strategy], PAID, each.already_paid))
        for each in found.places
    ]
    return _response(snapshot, places, (strategies[found.strategy], found.client_known), number)


def batch(answers: Iterable[bytes]) -> bytes:
    """A BatchRecommendResponse of RecommendResponses."""
    return b"".join(part for each in answers for part in (RESPONSES, _varint(len(each)), each))


def _response(snapshot: Snapshot, places: Iterable[Place], whole: tuple[int, bool], number: int) -> bytes:
    strategy, known = whole
    tail = snapshot.parts.tail
    if tail is None or tail.publication is not snapshot.publication:
        tail = snapshot.parts.tail = _tail(snapshot)
    companies = snapshot.parts.companies
    parts: list[bytes] = []
    for company, place in places:
        parts += companies.get(company) or _company(snapshot, company), place
    parts += HEAD.pack(STRATEGY, strategy, KNOWN, known), tail.content, ID
    parts.append(encoded(tail.origin, strategy, int(time()), number))
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
