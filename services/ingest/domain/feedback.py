"""Events of feedback: which are taken, and why others are not."""

from dataclasses import dataclass
from datetime import datetime

from services.contracts.feedback import CLOCK_TOLERANCE, KINDS, LONGEST
from services.contracts.recommendation_ids import RecommendationId, decoded
from services.ingest.domain.values import Refused, identifier


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """As a caller told it; `kind`: one of KINDS, or anything else; `at`: None where it was missing or no moment."""

    recommendation_id: str
    company_code: str
    kind: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """A sound event; `origin`: what its recommendation id says."""

    recommendation_id: str
    origin: RecommendationId
    company_code: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """The event at a place, from 0, of its batch is not taken; no value of it stands in the problem."""

    index: int
    field: str
    problem: str


class _Wrong(Exception):
    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field)
        self.field = field
        self.problem = problem


def sorted_out(told: list[ToldEvent], now: datetime) -> tuple[list[FeedbackEvent], list[RefusedEvent]]:
    """The sound events of a batch, and the others."""
    sound, refused = [], []
    for index, event in enumerate(told):
        try:
            sound.append(_checked(event, now))
        except _Wrong as wrong:
            refused.append(RefusedEvent(index, wrong.field, wrong.problem))
    return sound, refused


def _checked(told: ToldEvent, now: datetime) -> FeedbackEvent:
    origin = _origin(told.recommendation_id, now)
    try:
        code = identifier(told.company_code, "company_code")
    except Refused as error:
        raise _Wrong("company_code", error.reason.removeprefix("company_code ")) from None
    if told.kind not in KINDS:
        raise _Wrong("kind", "must be FEEDBACK_KIND_SHOWN, FEEDBACK_KIND_CLICKED or FEEDBACK_KIND_PAID")
    return FeedbackEvent(told.recommendation_id, origin, code, told.kind, _moment(told.at, origin.made_at, now))


def _origin(text: str, now: datetime) -> RecommendationId:
    try:
        origin = decoded(text)
    except ValueError:
        raise _Wrong("recommendation_id", "is not one that an answer gave; send it back as it came") from None
    if origin.made_at > now + CLOCK_TOLERANCE:
        raise _Wrong("recommendation_id", "is of an answer that was made in the future")
    return origin


def _moment(at: datetime | None, made_at: datetime, now: datetime) -> datetime:
    if at is None:
        raise _Wrong("at", "must be the moment when it happened")
    if at > now + CLOCK_TOLERANCE:
        raise _Wrong("at", "lies more than a day in the future; look at the caller's clock")
    if at < now - LONGEST or at > made_at + LONGEST:
        raise _Wrong("at", f"lies more than {LONGEST.days} days ago, or after the answer")
    if at < made_at - CLOCK_TOLERANCE:
        raise _Wrong("at", "lies more than a day before the answer was made; look at the caller's clock")
    return at
