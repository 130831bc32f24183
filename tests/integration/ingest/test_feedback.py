"""RecordFeedback over a real socket, on real objects."""

import asyncio
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.settings import IngestSettings
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.feedback import CLICKED, PAID, SHOWN, answer_id, event, in_the_lake
from tests.integration.ingest.serving import Ingest, refusal
from tests.integration.ingest.test_process import running


async def tell(ingest: Ingest, *events: pb.FeedbackEvent) -> pb.RecordFeedbackResponse:
    return await ingest.stub.RecordFeedback(pb.RecordFeedbackRequest(events=events), timeout=20)


async def test_what_is_answered_is_in_the_lake(ingest: Ingest, object_store: LocalObjectStore) -> None:
    answer = answer_id(1)
    told = await tell(ingest, event(answer), event(answer, "C2", CLICKED), event(answer, "C2", PAID))

    assert (told.recorded, list(told.refused)) == (3, [])
    assert in_the_lake(object_store) == [(answer, "C1", "shown"), (answer, "C2", "clicked"), (answer, "C2", "paid")]


async def test_a_bad_event_is_told_by_its_place_and_stops_no_other(
    ingest: Ingest, object_store: LocalObjectStore
) -> None:
    answer = answer_id(1)
    without_time = pb.FeedbackEvent(recommendation_id=answer, company_code="C1", kind=SHOWN)
    beyond_years = event(answer)
    beyond_years.at.seconds = 10**15
    told = await tell(ingest, event("no id"), event(answer), without_time, beyond_years, event(answer, kind=9))  # type: ignore[arg-type]

    assert told.recorded == 1
    assert [(each.index, each.field) for each in told.refused] == [
        (0, "recommendation_id"),
        (2, "at"),
        (3, "at"),
        (4, "kind"),
    ]
    assert in_the_lake(object_store) == [(answer, "C1", "shown")]


@pytest.mark.parametrize("size", [0, 1001])
async def test_a_batch_has_one_to_a_thousand_events(ingest: Ingest, size: int) -> None:
    refused = await refusal(tell(ingest, *[event(answer_id(1))] * size))
    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "events")


async def test_many_callers_make_few_objects(ingest: Ingest, object_store: LocalObjectStore) -> None:
    answers = [answer_id(number) for number in range(500)]
    # No more at once than one connection may have.
    for begin in range(0, 500, 100):
        await asyncio.gather(*(tell(ingest, event(answer)) for answer in answers[begin : begin + 100]))

    assert sorted(row[0] for row in in_the_lake(object_store)) == sorted(answers)
    assert len(list(object_store.list("raw/feedback/"))) < 50


async def test_every_replica_takes_feedback(serve: Serve, object_store: LocalObjectStore) -> None:
    async with serve() as one, serve() as other:
        await asyncio.gather(*(tell(each, event(answer_id(number))) for number, each in enumerate((one, other))))
    assert len(in_the_lake(object_store)) == 2


async def test_without_a_store_it_is_said_and_with_it_again_taken(
    serve: Serve, settings: IngestSettings, object_store: LocalObjectStore, tmp_path: Path
) -> None:
    async with serve() as ingest:
        (tmp_path / "objects").rename(tmp_path / "away")
        refused = await refusal(tell(ingest, event(answer_id(1))))
        shutil.move(tmp_path / "away", tmp_path / "objects")
        told = await tell(ingest, event(answer_id(2)))

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "OBJECT_STORE_UNAVAILABLE")
    assert told.recorded == 1


def test_a_process_that_is_killed_before_it_answers_has_lost_nothing_that_it_answered(tmp_path: Path) -> None:
    """It is killed when the third object is written, before anybody is told of it."""
    store = LocalObjectStore(tmp_path)
    answered: list[str] = []
    with (
        running(failpoint="feedback.stored:3", OBJECT_STORE_URL=tmp_path.as_uri()) as process,
        grpc.insecure_channel(f"127.0.0.1:{process.port}") as channel,
    ):
        call = channel.unary_unary(
            "/afin.ingest.v1.IngestService/RecordFeedback",
            request_serializer=pb.RecordFeedbackRequest.SerializeToString,
            response_deserializer=pb.RecordFeedbackResponse.FromString,
        )
        with suppress(grpc.RpcError):  # that it dies
            for number in range(100):
                answer = answer_id(number)
                call(pb.RecordFeedbackRequest(events=[event(answer, at=datetime.now(UTC))]), timeout=20)
                answered.append(answer)
    kept = [row[0] for row in in_the_lake(store)]
    assert len(answered) == 2
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept)) == 3
