"""Between protobuf messages and the records of ingest."""

from datetime import datetime

from google.protobuf.duration_pb2 import Duration

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.domain.runs import Pipeline, Run, RunState, Schedule, StepRecord, StepState, Trigger
from services.ingest.workflow.erasures import Erasure
from services.ingest.workflow.inspection import WatermarkReport
from services.runtime.timestamps import timestamp_of

PIPELINES = {
    Pipeline.COMPANIES: pb.PIPELINE_COMPANIES,
    Pipeline.RECOMMENDATIONS: pb.PIPELINE_RECOMMENDATIONS,
    Pipeline.BACKFILL: pb.PIPELINE_BACKFILL,
    Pipeline.ERASURE: pb.PIPELINE_ERASURE,
    Pipeline.REPLAY: pb.PIPELINE_REPLAY,
    Pipeline.RECONCILE: pb.PIPELINE_RECONCILE,
}
RUN_STATES = {
    RunState.QUEUED: pb.RUN_STATE_QUEUED,
    RunState.RUNNING: pb.RUN_STATE_RUNNING,
    RunState.SUCCEEDED: pb.RUN_STATE_SUCCEEDED,
    RunState.FAILED: pb.RUN_STATE_FAILED,
    RunState.CANCELLED: pb.RUN_STATE_CANCELLED,
}
STEP_STATES = {
    StepState.PENDING: pb.STEP_STATE_PENDING,
    StepState.RUNNING: pb.STEP_STATE_RUNNING,
    StepState.SUCCEEDED: pb.STEP_STATE_SUCCEEDED,
    StepState.FAILED: pb.STEP_STATE_FAILED,
    StepState.CANCELLED: pb.STEP_STATE_CANCELLED,
}
ERASED_COUNTS = ("versions", "confirmations", "objects", "rows", "quarantined")
TRIGGERS = {Trigger.MANUAL: pb.TRIGGER_MANUAL, Trigger.SCHEDULE: pb.TRIGGER_SCHEDULE}


def run_message(run: Run) -> pb.Run:
    """A run with its steps."""
    return pb.Run(
        run_id=str(run.run_id),
        pipeline=PIPELINES[run.pipeline],
        state=RUN_STATES[run.state],
        trigger=TRIGGERS[run.trigger],
        logical_time=timestamp_of(run.logical_time),
        created_at=timestamp_of(run.created_at),
        started_at=timestamp_of(run.started_at),
        ended_at=timestamp_of(run.ended_at),
        steps=[_step_message(step) for step in run.steps],
        account=pb.Account(**run.account.as_counts()) if run.account else None,
        error=run.error,
        code_version=run.code_version,
        attempts=run.attempts,
    )


def erasure_message(erasure: Erasure) -> pb.Erasure:
    """The record of an erasure, from what the steps of its run have counted."""
    run = erasure.run
    counts = {name: count for step in run.steps for name, count in step.counts.items() if name in ERASED_COUNTS}
    return pb.Erasure(
        erasure_id=str(run.run_id),
        state=RUN_STATES[run.state],
        requested_at=timestamp_of(run.created_at),
        completed_at=timestamp_of(run.ended_at) if run.state is RunState.SUCCEEDED else None,
        index_version=erasure.index_version,
        error=run.error,
        **counts,
    )


def schedule_message(schedule: Schedule, next_time: datetime | None) -> pb.Schedule:
    """A schedule; `next_time` is None while it is paused."""
    return pb.Schedule(
        pipeline=PIPELINES[schedule.pipeline],
        cron=schedule.cron,
        paused=schedule.paused,
        next_time=timestamp_of(next_time),
        last_time=timestamp_of(schedule.last_time),
    )


def watermark_message(report: WatermarkReport) -> pb.GetWatermarkResponse:
    """Where the warehouse stands."""
    overlap = Duration()
    overlap.FromTimedelta(report.overlap)
    return pb.GetWatermarkResponse(
        payments=timestamp_of(report.payments),
        companies=timestamp_of(report.companies),
        next_since=report.next_since.isoformat(),
        overlap=overlap,
    )


def _step_message(step: StepRecord) -> pb.Step:
    return pb.Step(
        name=step.name,
        state=STEP_STATES[step.state],
        started_at=timestamp_of(step.started_at),
        ended_at=timestamp_of(step.ended_at),
        counts=dict(step.counts),
        detail=step.detail,
        error=step.error,
    )
