"""IngestService over gRPC: messages in, a use case, messages out."""

# ruff: noqa: N802 - gRPC names the methods as the proto does

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from afin.ingest.v1 import ingest_pb2 as pb
from afin.ingest.v1.ingest_pb2_grpc import IngestServiceServicer
from services.ingest import requests
from services.ingest.conversion import erasure_message, run_message, schedule_message, watermark_message
from services.ingest.feedback_messages import recorded_message, report_message, report_range, told_events
from services.ingest.workflow.erasures import Erasures
from services.ingest.workflow.feedback import Feedback
from services.ingest.workflow.feedback_report import FeedbackReports
from services.ingest.workflow.inspection import Quarantine, Runs, Watermark
from services.ingest.workflow.scheduling import Schedules
from services.ingest.workflow.triggers import Triggers
from services.ingest.workflow.watching import RunWatch
from services.runtime.access.caller import CALLER, holder
from services.runtime.access.roles import Role
from services.runtime.clock import utc_now
from services.runtime.paging import page_size

FULL_NAME = pb.DESCRIPTOR.services_by_name["IngestService"].full_name
RUN_PAGE, USUAL_RUN_PAGE = 200, 20
ROW_PAGE, USUAL_ROW_PAGE = 1000, 100


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the servicer hands its calls to."""

    triggers: Triggers
    runs: Runs
    watch: RunWatch
    watermark: Watermark
    quarantine: Quarantine
    erasures: Erasures
    schedules: Schedules
    feedback: Feedback
    feedback_reports: FeedbackReports


class IngestServicer(IngestServiceServicer):
    """Each method is its RPC; see ingest.proto. Errors pass to the interceptor."""

    def __init__(self, use: UseCases) -> None:
        self._use = use

    async def RunPipeline(self, request: pb.RunPipelineRequest, context: Any) -> pb.RunPipelineResponse:
        """See ingest.proto."""
        pipeline = requests.scheduled_pipeline(request.pipeline)
        parameters = requests.run_parameters(pipeline, request)
        run = await self._use.triggers.run_pipeline(pipeline, requests.request_id(request.request_id), parameters)
        return pb.RunPipelineResponse(run=run_message(run))

    async def Backfill(self, request: pb.BackfillRequest, context: Any) -> pb.BackfillResponse:
        """See ingest.proto."""
        name = requests.request_id(request.request_id)
        run = await self._use.triggers.backfill(request.first_day, request.last_day, name)
        return pb.BackfillResponse(run=run_message(run))

    async def ReplayQuarantine(self, request: pb.ReplayQuarantineRequest, context: Any) -> pb.ReplayQuarantineResponse:
        """See ingest.proto."""
        refused_by, name = requests.run_id(request.run_id), requests.request_id(request.request_id)
        return pb.ReplayQuarantineResponse(run=run_message(await self._use.triggers.replay(refused_by, name)))

    async def RetryRun(self, request: pb.RetryRunRequest, context: Any) -> pb.RetryRunResponse:
        """See ingest.proto."""
        run = await self._use.triggers.retry(requests.run_id(request.run_id), by_admin=_by_admin())
        return pb.RetryRunResponse(run=run_message(run))

    async def CancelRun(self, request: pb.CancelRunRequest, context: Any) -> pb.CancelRunResponse:
        """See ingest.proto."""
        run = await self._use.triggers.cancel(requests.run_id(request.run_id), by_admin=_by_admin())
        return pb.CancelRunResponse(run=run_message(run))

    async def GetRun(self, request: pb.GetRunRequest, context: Any) -> pb.GetRunResponse:
        """See ingest.proto."""
        return pb.GetRunResponse(run=run_message(await self._use.runs.get(requests.run_id(request.run_id))))

    async def ListRuns(self, request: pb.ListRunsRequest, context: Any) -> pb.ListRunsResponse:
        """See ingest.proto."""
        pipeline = requests.any_pipeline(request.pipeline)
        limit = page_size(request.page_size, RUN_PAGE, USUAL_RUN_PAGE)
        runs, following = await self._use.runs.page(pipeline, limit, requests.run_cursor(request.page_token))
        return pb.ListRunsResponse(
            runs=[run_message(run) for run in runs], next_page_token=requests.run_token(following)
        )

    async def WatchRun(self, request: pb.WatchRunRequest, context: Any) -> AsyncIterator[pb.WatchRunResponse]:
        """See ingest.proto."""
        async with aclosing(self._use.watch.follow(requests.run_id(request.run_id), holder(context.peer()))) as runs:
            async for run in runs:
                yield pb.WatchRunResponse(run=run_message(run))

    async def GetWatermark(self, request: pb.GetWatermarkRequest, context: Any) -> pb.GetWatermarkResponse:
        """See ingest.proto."""
        return watermark_message(await self._use.watermark.report())

    async def ListQuarantineReasons(
        self, request: pb.ListQuarantineReasonsRequest, context: Any
    ) -> pb.ListQuarantineReasonsResponse:
        """See ingest.proto."""
        reasons = await self._use.quarantine.reasons(requests.run_id(request.run_id))
        return pb.ListQuarantineReasonsResponse(
            reasons=[pb.QuarantineReason(reason=reason, rows=rows) for reason, rows in reasons.items()]
        )

    async def ListQuarantinedRows(
        self, request: pb.ListQuarantinedRowsRequest, context: Any
    ) -> pb.ListQuarantinedRowsResponse:
        """See ingest.proto."""
        run_id = requests.run_id(request.run_id)
        start = requests.quarantine_position(request.page_token)
        limit = page_size(request.page_size, ROW_PAGE, USUAL_ROW_PAGE)
        rows, following = await self._use.quarantine.page(run_id, start, limit)
        return pb.ListQuarantinedRowsResponse(
            rows=[pb.QuarantinedRow(reason=row.reason, raw=row.raw) for row in rows],
            next_page_token=requests.quarantine_token(following),
        )

    async def EraseClient(self, request: pb.EraseClientRequest, context: Any) -> pb.EraseClientResponse:
        """See ingest.proto."""
        name = requests.request_id(request.request_id)
        erasure = await self._use.erasures.request(request.external_client_id, name)
        return pb.EraseClientResponse(erasure=erasure_message(erasure))

    async def GetErasure(self, request: pb.GetErasureRequest, context: Any) -> pb.GetErasureResponse:
        """See ingest.proto."""
        erasure = await self._use.erasures.get(requests.run_id(request.erasure_id, "erasure_id"))
        return pb.GetErasureResponse(erasure=erasure_message(erasure))

    async def ListErasures(self, request: pb.ListErasuresRequest, context: Any) -> pb.ListErasuresResponse:
        """See ingest.proto."""
        limit = page_size(request.page_size, RUN_PAGE, USUAL_RUN_PAGE)
        erasures, following = await self._use.erasures.page(limit, requests.run_cursor(request.page_token))
        return pb.ListErasuresResponse(
            erasures=[erasure_message(erasure) for erasure in erasures], next_page_token=requests.run_token(following)
        )

    async def ListSchedules(self, request: pb.ListSchedulesRequest, context: Any) -> pb.ListSchedulesResponse:
        """See ingest.proto."""
        schedules = await self._use.schedules.all()
        return pb.ListSchedulesResponse(schedules=[schedule_message(*one) for one in schedules])

    async def PauseSchedule(self, request: pb.PauseScheduleRequest, context: Any) -> pb.PauseScheduleResponse:
        """See ingest.proto."""
        pipeline = requests.scheduled_pipeline(request.pipeline)
        changed = await self._use.schedules.set_paused(pipeline, paused=True)
        return pb.PauseScheduleResponse(schedule=schedule_message(*changed))

    async def ResumeSchedule(self, request: pb.ResumeScheduleRequest, context: Any) -> pb.ResumeScheduleResponse:
        """See ingest.proto."""
        pipeline = requests.scheduled_pipeline(request.pipeline)
        changed = await self._use.schedules.set_paused(pipeline, paused=False)
        return pb.ResumeScheduleResponse(schedule=schedule_message(*changed))

    async def RecordFeedback(self, request: pb.RecordFeedbackRequest, context: Any) -> pb.RecordFeedbackResponse:
        """See ingest.proto."""
        return recorded_message(*await self._use.feedback.record(told_events(request)))

    async def GetFeedbackReport(
        self, request: pb.GetFeedbackReportRequest, context: Any
    ) -> pb.GetFeedbackReportResponse:
        """See ingest.proto."""
        return report_message(await self._use.feedback_reports.count(*report_range(request, utc_now())))


def _by_admin() -> bool:
    return CALLER.get().role >= Role.ADMIN
