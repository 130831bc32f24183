"""What callers may ask, and what they are told when it is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest import requests
from services.ingest.domain.runs import Pipeline
from services.ingest.workflow.values import QuarantinePosition, RunCursor
from services.runtime.errors import InvalidArgument
from services.runtime.paging import page_size

UNKNOWN: "pb.Pipeline.ValueType" = 99  # type: ignore[assignment] # as a newer client might send


def wrong_field(ask: Callable[[], object]) -> str:
    """The field that a refusal names."""
    with pytest.raises(InvalidArgument) as caught:
        ask()
    return caught.value.field


def test_a_run_id_is_a_uuid() -> None:
    known = uuid4()

    assert requests.run_id(str(known)) == known


@pytest.mark.parametrize("text", ["", "7", "not-a-uuid", "x" * 1000])
def test_what_is_no_uuid_is_no_run_id(text: str) -> None:
    assert wrong_field(lambda: requests.run_id(text)) == "run_id"


@pytest.mark.parametrize(("text", "name"), [("", None), ("today", "today"), ("x" * 128, "x" * 128)])
def test_a_request_id_is_optional_and_up_to_128_characters(text: str, name: str | None) -> None:
    assert requests.request_id(text) == name


@pytest.mark.parametrize("text", ["x" * 129, "a\x00b", "a\nb"])
def test_a_request_id_too_long_or_unprintable_is_refused(text: str) -> None:
    assert wrong_field(lambda: requests.request_id(text)) == "request_id"


@pytest.mark.parametrize("number", [pb.PIPELINE_UNSPECIFIED, pb.PIPELINE_BACKFILL, pb.PIPELINE_REPLAY, UNKNOWN])
def test_only_companies_and_recommendations_are_run_by_name(number: "pb.Pipeline.ValueType") -> None:
    assert wrong_field(lambda: requests.scheduled_pipeline(number)) == "pipeline"


def test_runs_are_listed_of_all_pipelines_or_of_any_one() -> None:
    assert requests.any_pipeline(pb.PIPELINE_UNSPECIFIED) is None
    assert requests.any_pipeline(pb.PIPELINE_BACKFILL) is Pipeline.BACKFILL


def test_runs_of_an_unknown_pipeline_are_not_listed_as_if_all_were_meant() -> None:
    assert wrong_field(lambda: requests.any_pipeline(UNKNOWN)) == "pipeline"


@pytest.mark.parametrize(("asked", "size"), [(0, 20), (1, 1), (200, 200)])
def test_a_page_has_the_asked_size_or_the_usual_one(asked: int, size: int) -> None:
    assert page_size(asked, 200, 20) == size


@pytest.mark.parametrize("asked", [-1, 201])
def test_a_page_size_out_of_range_is_refused(asked: int) -> None:
    assert wrong_field(lambda: page_size(asked, 200, 20)) == "page_size"


def test_a_token_leads_back_to_its_run() -> None:
    cursor = RunCursor(datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC), UUID(int=7))

    assert requests.run_cursor(requests.run_token(cursor)) == cursor


def test_a_token_leads_back_to_its_quarantined_row() -> None:
    position = QuarantinePosition(3, 41)

    assert requests.quarantine_position(requests.quarantine_token(position)) == position


def test_no_token_is_the_first_page_and_no_next_page_is_no_token() -> None:
    assert (requests.run_cursor(""), requests.quarantine_position("")) == (None, QuarantinePosition(0, 0))
    assert (requests.run_token(None), requests.quarantine_token(None)) == ("", "")


@pytest.mark.parametrize("token", ["x", "????", "YQ==", "MXwtMQ==", "é", "/w==", "MjAyNi0wMS0wMXw3"])
@pytest.mark.parametrize("read", [requests.run_cursor, requests.quarantine_position])
def test_a_token_that_nobody_gave_is_refused(read: Callable[[str], object], token: str) -> None:
    assert wrong_field(lambda: read(token)) == "page_token"
