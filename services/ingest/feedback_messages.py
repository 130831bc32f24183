"""Between protobuf messages and feedback."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.domain.feedback import RefusedEvent, ToldEvent
from services.runtime.errors import InvalidArgument

MOST_EVENTS = 1000
KINDS = {pb.FEEDBACK_KIND_SHOWN: "shown", pb.FEEDBACK_KIND_CLICKED: "clicked", pb.FEEDBACK_KIND_PAID: "paid"}


def told_events(request: pb.RecordFeedbackRequest) -> list[ToldEvent]:
    """The events of a request. InvalidArgument for none and for too many."""
    if not 1 <= len(request.events) <= MOST_EVENTS:
        raise InvalidArgument("events", f"must be 1 to {MOST_EVENTS}; send more in several calls")
    return [
        ToldEvent(
            event.recommendation_id,
            event.company_code,
            KINDS.get(event.kind, ""),
            _moment(event.at) if event.HasField("at") else None,
        )
        for event in request.events
    ]


def recorded_message(recorded: int, refused: list[RefusedEvent]) -> pb.RecordFeedbackResponse:
    """What became of a batch."""
    problems = [pb.RefusedFeedback(index=each.index, field=each.field, problem=each.problem) for each in refused]
    return pb.RecordFeedbackResponse(recorded=recorded, refused=problems)


def _moment(timestamp: Timestamp) -> datetime | None:
    try:
        return timestamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        return None
