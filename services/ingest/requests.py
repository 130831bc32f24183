"""What callers may ask: fields checked, page tokens made and read. Whatever is wrong is InvalidArgument, by field."""

from datetime import datetime
from typing import Any
from uuid import UUID

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.conversion import PIPELINES
from services.ingest.domain.runs import Pipeline
from services.ingest.workflow.outputs import CompaniesParameters
from services.ingest.workflow.values import QuarantinePosition, RunCursor
from services.runtime.errors import InvalidArgument
from services.runtime.paging import page_token, place_of_token, wrong_token

MAX_REQUEST_ID = 128
BY_NUMBER = {number: pipeline for pipeline, number in PIPELINES.items()}
# Pipelines that are about something, which only an RPC of their own can tell.
OWN_RPC = {
    Pipeline.BACKFILL: "is the backfill, which the RPC Backfill starts, with its days",
    Pipeline.ERASURE: "is the erasure, which the RPC EraseClient starts, with its client",
    Pipeline.REPLAY: "is the replay, which the RPC ReplayQuarantine starts, with the run it is about",
}


def run_id(text: str, field: str = "run_id") -> UUID:
    """The id of a run; of an erasure, which is one."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidArgument(field, "is no run id; it is a UUID, as RunPipeline and ListRuns give it") from None


def request_id(text: str) -> str | None:
    """The caller's name for a request; None when there is none."""
    if len(text) > MAX_REQUEST_ID:
        raise InvalidArgument("request_id", f"is longer than {MAX_REQUEST_ID} characters")
    if not text.isprintable():
        raise InvalidArgument("request_id", "holds control characters")
    return text or None


def scheduled_pipeline(number: "pb.Pipeline.ValueType") -> Pipeline:
    """A pipeline that runs by itself, or by RunPipeline."""
    pipeline = BY_NUMBER.get(number)
    if pipeline in OWN_RPC:
        raise InvalidArgument("pipeline", OWN_RPC[pipeline])
    if pipeline is None:
        raise InvalidArgument("pipeline", "must be PIPELINE_COMPANIES, PIPELINE_RECOMMENDATIONS or PIPELINE_RECONCILE")
    return pipeline


def run_parameters(pipeline: Pipeline, request: pb.RunPipelineRequest) -> dict[str, Any]:
    """What a run of the pipeline is told beyond its name."""
    if not request.accept_fewer_companies:
        return {}
    if pipeline is not Pipeline.COMPANIES:
        raise InvalidArgument("accept_fewer_companies", "is for PIPELINE_COMPANIES alone")
    return CompaniesParameters(accept_fewer_companies=True).to_json()


def any_pipeline(number: "pb.Pipeline.ValueType") -> Pipeline | None:
    """A pipeline to choose runs by; None: all."""
    if number != pb.PIPELINE_UNSPECIFIED and number not in BY_NUMBER:
        raise InvalidArgument("pipeline", "is unknown; leave it out for all pipelines")
    return BY_NUMBER.get(number)


def run_cursor(token: str) -> RunCursor | None:
    """Where a page of runs begins."""
    if not token:
        return None
    try:
        moment, _, identity = place_of_token(token).partition("|")
        created_at = datetime.fromisoformat(moment)
        if created_at.tzinfo is None:
            raise ValueError("a moment without a zone")
        return RunCursor(created_at, UUID(identity))
    except ValueError:
        raise wrong_token() from None


def run_token(cursor: RunCursor | None) -> str:
    """The token for the page behind a run; empty when there is none."""
    return "" if cursor is None else page_token(f"{cursor.created_at.isoformat()}|{cursor.run_id}")


def quarantine_position(token: str) -> QuarantinePosition:
    """Where a page of quarantined rows begins."""
    if not token:
        return QuarantinePosition()
    try:
        part, _, row = place_of_token(token).partition("|")
        position = QuarantinePosition(int(part), int(row))
    except ValueError:
        raise wrong_token() from None
    if position.part < 0 or position.row < 0:
        raise wrong_token()
    return position


def quarantine_token(position: QuarantinePosition | None) -> str:
    """The token for the page that begins there; empty when there is none."""
    return "" if position is None else page_token(f"{position.part}|{position.row}")
