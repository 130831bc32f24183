"""Answers joined from bytes are, parsed, what protobuf makes of the same answers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts.candidate_lists import NOBODY, CandidateLists
from services.contracts.company_columns import CompanyColumns, table_of
from services.contracts.ranking import FROM_HISTORY, MODELLED, POPULAR, Places
from services.contracts.recommendation_ids import decoded
from services.recommender import encoding, messages
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.recommending import Recommendations, Strategy, leading, recommend, strategies_of_new
from services.recommender.domain.requests import RecommendationRequest
from services.recommender.domain.snapshot import AnswerParts, Snapshot
from tests.unit.recommender.snapshots import CLIENT, publication, snapshot

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
INT64 = st.integers(-(2**63), 2**63 - 1)
NUMBER = 2**47 + 5


def without_id(response: pb.RecommendResponse) -> pb.RecommendResponse:
    """It tells the second in which it was made."""
    found = decoded(response.recommendation_id)
    assert (found.number, found.strategy) == (NUMBER, response.strategy)
    response.recommendation_id = ""
    return response


def joined(of: Snapshot, answer: Recommendations) -> pb.RecommendResponse:
    return without_id(pb.RecommendResponse.FromString(encoding.answer(of, answer, NUMBER)))


def by_protobuf(of: Snapshot, answer: Recommendations) -> pb.RecommendResponse:
    return without_id(messages.recommend_response(of, answer, NUMBER))


@st.composite
def catalogues(draw: st.DrawFn) -> Snapshot:
    """Five companies of any names and numbers."""
    columns = CompanyColumns(
        company_id=draw(st.lists(INT64, min_size=5, max_size=5)),
        company_code=draw(st.lists(TEXT, min_size=5, max_size=5, unique=True)),
        company_name=draw(st.lists(TEXT, min_size=5, max_size=5)),
        category_id=draw(st.lists(st.none() | INT64, min_size=5, max_size=5)),
        category_name=draw(st.lists(st.none() | TEXT, min_size=5, max_size=5)),
        is_top_biller=[None] * 5,
        average_amount=[None] * 5,
        average_days_between=[None] * 5,
    )
    return replace(snapshot(), catalogue=Catalogue.of(table_of(columns)), parts=AnswerParts())


PLACES = st.lists(
    st.tuples(st.integers(0, 4), st.floats(allow_nan=False), st.sampled_from(Strategy), st.booleans()), max_size=12
)
NOTHING = Places([], [], b"", b"")


@given(catalogues(), PLACES, st.booleans())
def test_any_answer_is_the_message_that_protobuf_makes(
    of: Snapshot, places: list[tuple[int, float, Strategy, bool]], known: bool
) -> None:
    companies, scores, strategies, paid = zip(*places, strict=True) if places else ((), (), (), ())
    columns = Places(list(companies), list(scores), bytes(len(places)), bytes(paid))
    answer = Recommendations(columns, bytes(strategies), known)

    assert joined(of, answer) == by_protobuf(of, answer)
    assert joined(of, answer) == by_protobuf(of, answer), "from the parts kept"


def with_list() -> Snapshot:
    """Its one client has a list of three of the five companies, and no more there are."""
    lists = CandidateLists(
        np.zeros(1, np.int32),
        np.array([[1, 2, 4, NOBODY]], np.int32),
        np.array([[0.75, 0.1, -1.0, 0.0]], np.float32),
        np.array([[FROM_HISTORY, MODELLED, POPULAR, POPULAR]], np.uint8),
    )
    plain = snapshot()
    return replace(plain, lists=lists, manifest=plain.manifest.model_copy(update={"lists": 1, "list_length": 4}))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_an_answer_from_a_list_is_the_message_of_its_places(count: int) -> None:
    of = with_list()

    places = of.lists.places(0, count)
    content = encoding.unexplained(of, places, strategies_of_new(places), True, NUMBER)

    found = recommend(of, RecommendationRequest(count, client_id=CLIENT))
    assert without_id(pb.RecommendResponse.FromString(content)) == by_protobuf(of, found)
    assert found.strategy == leading(strategies_of_new(places)) == Strategy.COLLABORATIVE
    assert [place.company for place in found.places] == [1, 2, 4][:count]


def test_an_empty_list_is_a_popular_one() -> None:
    of = with_list()
    of.lists.companies[:] = NOBODY

    answer = recommend(of, RecommendationRequest(3, client_id=CLIENT))

    assert not answer.places
    assert joined(of, answer).strategy == pb.STRATEGY_POPULAR


def test_an_answer_with_reasons_keeps_them() -> None:
    answer = recommend(snapshot(), RecommendationRequest(2, client_id=CLIENT, with_reasons=True))

    assert joined(snapshot(), answer) == by_protobuf(snapshot(), answer)
    assert joined(snapshot(), answer).HasField("explanation")


def test_what_is_kept_of_one_publication_is_not_told_of_another() -> None:
    first = snapshot(1)
    answer = Recommendations(NOTHING, b"", client_known=True)
    joined(first, answer)

    second = replace(first, publication=publication(2))

    assert joined(second, answer).index.epoch == 2


def test_a_batch_is_its_answers_in_order() -> None:
    answers = [
        encoding.answer(snapshot(epoch), Recommendations(NOTHING, b"", epoch % 2 == 0), NUMBER)
        for epoch in range(1, 40)
    ]

    found = pb.BatchRecommendResponse.FromString(encoding.batch(answers))

    assert [each.index.epoch for each in found.responses] == list(range(1, 40))
    assert [each.SerializeToString() for each in found.responses] == [
        pb.RecommendResponse.FromString(each).SerializeToString() for each in answers
    ]
