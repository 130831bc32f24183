"""Between protobuf messages and feedback."""

from datetime import UTC, datetime
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp

from afin.ingest.v1 import ingest_pb2 as pb
from afin.recommender.v1.recommender_pb2 import Strategy
from services.ingest.domain.feedback import RefusedEvent, ToldEvent
from services.ingest.domain.feedback_report import (
    Counted,
    Estimate,
    Tally,
    VariantReport,
    click_share,
    hit_share,
    variant_reports,
)
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


def report_range(request: pb.GetFeedbackReportRequest, now: datetime) -> tuple[datetime, datetime]:
    """From when until when the answers were made that a report is about. InvalidArgument for what is no moment."""
    since = _moment(request.since) if request.HasField("since") else None
    until = _moment(request.until) if request.HasField("until") else now
    if since is None:
        raise InvalidArgument("since", "must be the moment from which on answers count")
    if until is None:
        raise InvalidArgument("until", "is no moment that a calendar knows; leave it out for now")
    return since, until


def report_message(counted: Counted) -> pb.GetFeedbackReportResponse:
    """The report, with shares and intervals."""
    variants = [_variant(report) for report in variant_reports(counted.tallies)]
    return pb.GetFeedbackReportResponse(variants=variants, rows=counted.rows, sample=counted.sample)


def _variant(report: VariantReport) -> pb.VariantFeedback:
    strategies = [
        pb.StrategyFeedback(strategy=cast("Strategy.ValueType", number), tally=_tally(tally))
        for number, tally in report.strategies.items()
    ]
    return pb.VariantFeedback(
        variant=report.role,
        experiment=report.experiment,
        tally=_tally(report.tally),
        strategies=strategies,
        click_difference=_estimate(report.click_difference),
        hit_difference=_estimate(report.hit_difference),
    )


def _tally(tally: Tally) -> pb.FeedbackTally:
    return pb.FeedbackTally(
        shown=tally.shown,
        clicked=tally.clicked,
        paid=tally.paid,
        stray=tally.stray,
        click_share=_estimate(click_share(tally)),
        hit_share=_estimate(hit_share(tally)),
    )


def _estimate(estimate: Estimate | None) -> pb.Estimate | None:
    return None if estimate is None else pb.Estimate(value=estimate.value, low=estimate.low, high=estimate.high)


def _moment(timestamp: Timestamp) -> datetime | None:
    try:
        return timestamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        return None
