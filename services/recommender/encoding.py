"""Answers as the bytes of their messages, joined from parts: what repeats is encoded once.

A company's part (id, code, name, category) is encoded when it is first recommended, and kept with the index; its score
and strategy are put behind it. Parsed, the bytes are what protobuf itself would have made of messages.py's.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from time import time

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts.candidate_lists import FROM_HISTORY, NOBODY
from services.contracts.recommendation_ids import ID_CHARACTERS, encoded
from services.recommender import messages
from services.recommender.domain.recommending import Recommendations
from services.recommender.domain.snapshot import AnswerTail, Snapshot

VARINT, FIXED64, BYTES = 0, 1, 2
# Company, score, number of the strategy, whether the client pays it already.
Place = tuple[int, float, int, bool]


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


def listed_answer(snapshot: Snapshot, row: int, count: int, number: int) -> tuple[bytes, bool]:
    """A RecommendResponse of the first places of a list made ahead, and whether the history leads it."""
    lists = snapshot.lists
    companies, scores, kinds = (each[row, :count].tolist() for each in (lists.companies, lists.scores, lists.kinds))
    places = [
        (company, score, COLLABORATIVE if kind == FROM_HISTORY else POPULAR, False)
        for company, score, kind in zip(companies, scores, kinds, strict=True)
        if company != NOBODY
    ]
    strategy = places[0][2] if places else POPULAR
    return _response(snapshot, places, (strategy, True), number), strategy == COLLABORATIVE


def answer(snapshot: Snapshot, found: Recommendations, number: int) -> bytes:
    """A RecommendResponse; `number`: one that no other answer has."""
    if found.explanation:
        return messages.recommend_response(snapshot, found, number).SerializeToString()
    strategies = messages.STRATEGIES
    places = [(each.company, each.score, strategies[each.strategy], each.already_paid) for each in found.places]
    return _response(snapshot, places, (strategies[found.strategy], found.client_known), number)


def batch(answers: Iterable[bytes]) -> bytes:
    """A BatchRecommendResponse of RecommendResponses."""
    return b"".join(part for each in answers for part in (RESPONSES, _varint(len(each)), each))


def _response(snapshot: Snapshot, places: Sequence[Place], whole: tuple[int, bool], number: int) -> bytes:
    strategy, known = whole
    tail = snapshot.parts.tail
    if tail is None or tail.publication is not snapshot.publication:
        tail = snapshot.parts.tail = _tail(snapshot)
    companies, pack = snapshot.parts.companies, PLACE.pack
    parts = []
    for company, score, its_strategy, paid in places:
        part = companies.get(company)
        if part is None:
            part = companies[company] = _company(snapshot, company)
        parts.append(part)
        parts.append(pack(SCORE, score, PLACE_STRATEGY, its_strategy, PAID, paid))
    parts.append(HEAD.pack(STRATEGY, strategy, KNOWN, known))
    parts.append(tail.content)
    parts.append(ID)
    parts.append(encoded(tail.origin, strategy, int(time()), number))
    return b"".join(parts)


def _company(snapshot: Snapshot, company: int) -> bytes:
    """With the length of the whole place before it, which is closed by a PLACE."""
    content = messages.company_part(snapshot.catalogue.table, company).SerializeToString()
    return RECOMMENDATIONS + _varint(len(content) + PLACE.size) + content


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
