"""What is written down of a call: enough to know what was done, nothing that names a client."""

import pytest
from google.protobuf.message import Message
from structlog.testing import capture_logs

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from afin.warehouse.v1 import warehouse_pb2
from services.runtime.access.audit import audit, told_of

CANARY = "canary-5b1f0c"


def line(request: Message, answer: Message | None = None, code: str = "OK") -> dict[str, object]:
    with capture_logs() as logs:
        audit("shop", "ipv4:127.0.0.1:1", code, request, answer)
    (told,) = logs
    return dict(told)


def test_it_tells_who_what_and_how_it_ended() -> None:
    request = ingest_pb2.RunPipelineRequest(pipeline=ingest_pb2.PIPELINE_COMPANIES, accept_fewer_companies=True)
    answer = ingest_pb2.RunPipelineResponse(run=ingest_pb2.Run(run_id="run-1"))

    assert line(request, answer) == {
        "event": "call",
        "log_level": "info",
        "who": "shop",
        "peer": "ipv4:127.0.0.1:1",
        "code": "OK",
        "request": {"pipeline": "PIPELINE_COMPANIES", "accept_fewer_companies": True},
        "answer": {"run_id": "run-1"},
    }


def test_an_erasure_is_told_by_its_own_id() -> None:
    request = ingest_pb2.EraseClientRequest(external_client_id=CANARY, request_id=f"erase {CANARY}")
    answer = ingest_pb2.EraseClientResponse(erasure=ingest_pb2.Erasure(erasure_id="erasure-1"))

    told = line(request, answer)

    assert (told["request"], told["answer"]) == ({}, {"erasure_id": "erasure-1"})


@pytest.mark.parametrize(
    "request_",
    [
        ingest_pb2.GetRunRequest(run_id=CANARY),
        ingest_pb2.BackfillRequest(first_day=CANARY, last_day=CANARY, request_id=CANARY),
        indexer_pb2.RollbackIndexRequest(version=CANARY, reason=CANARY),
    ],
)
def test_text_of_a_call_that_was_refused_is_not_told(request_: Message) -> None:
    assert CANARY not in str(line(request_, code="INVALID_ARGUMENT"))


def test_reasons_and_request_ids_are_not_told_of_answered_calls_either() -> None:
    request = indexer_pb2.RollbackIndexRequest(version="v1", reason=CANARY)

    assert told_of(request, with_text=True) == {"version": "v1"}


def test_times_and_durations_are_told_as_text() -> None:
    request = indexer_pb2.PruneIndexVersionsRequest(keep_newest=3, dry_run=True)
    request.keep_in_service_within.FromSeconds(60)

    assert told_of(request, with_text=False) == {"keep_newest": 3, "keep_in_service_within": "60s", "dry_run": True}


def test_a_time_that_no_calendar_knows_does_not_keep_a_call_out_of_the_record() -> None:
    request = warehouse_pb2.ListClientPaymentsRequest(external_client_id=CANARY, page_size=3)
    request.as_of.seconds = 10**17

    told = line(request, code="INVALID_ARGUMENT")

    assert told["request"] == {"as_of": "out of range", "page_size": 3}


def test_what_is_no_message_of_ours_is_not_told() -> None:
    assert told_of(b"bytes as they came", with_text=True) == {}
