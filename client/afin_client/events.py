"""Events of feedback. Telling one again changes nothing."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from afin.ingest.v1 import ingest_pb2 as pb
from afin.recommender.v1.recommender_pb2 import RecommendResponse

# An answer, or the recommendation_id that was kept of it.
Answer = RecommendResponse | str


def shown(answer: Answer, company_code: str, at: datetime | None = None) -> pb.FeedbackEvent:
    """A company of the answer stood before the client's eyes. `at`: with a time zone; unset: now."""
    return _event(answer, company_code, pb.FEEDBACK_KIND_SHOWN, at)


def clicked(answer: Answer, company_code: str, at: datetime | None = None) -> pb.FeedbackEvent:
    """The client chose it."""
    return _event(answer, company_code, pb.FEEDBACK_KIND_CLICKED, at)


def paid(answer: Answer, company_code: str, at: datetime | None = None) -> pb.FeedbackEvent:
    """The client has paid it since."""
    return _event(answer, company_code, pb.FEEDBACK_KIND_PAID, at)


def _event(
    answer: Answer, company_code: str, kind: "pb.FeedbackKind.ValueType", at: datetime | None
) -> pb.FeedbackEvent:
    if at is not None and at.tzinfo is None:
        raise ValueError("at is without a time zone: nobody can say which moment it is")
    moment = Timestamp()
    moment.FromDatetime(at or datetime.now(UTC))
    identity = answer if isinstance(answer, str) else answer.recommendation_id
    return pb.FeedbackEvent(recommendation_id=identity, company_code=company_code, kind=kind, at=moment)
