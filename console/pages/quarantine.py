"""Rows that runs refused: why, which, and trying them again. The rows name clients: they are an operator's to see."""

import asyncio
import json
import uuid

from starlette.responses import Response

from afin.ingest.v1 import ingest_pb2
from console.visit import Visit, go_to

RUNS = 200
PAGE = 25
REPLAYED = (
    ingest_pb2.PIPELINE_RECOMMENDATIONS,
    ingest_pb2.PIPELINE_BACKFILL,
    ingest_pb2.PIPELINE_RECONCILE,
    ingest_pb2.PIPELINE_REPLAY,
)


async def runs(visit: Visit) -> Response:
    """Those of the newest RUNS runs that refused something."""
    request = ingest_pb2.ListRunsRequest(page_size=RUNS, page_token=visit.asked("page"))
    listing = await visit.caller.ask(visit.caller.services.ingest.ListRuns, request)
    found = [run for run in listing.runs if run.account.quarantined]
    return visit.page("quarantine.html", runs=found, looked_at=len(listing.runs), next=listing.next_page_token)


async def of_run(visit: Visit) -> Response:
    """Reasons and rows of one run."""
    run_id = visit.part("run_id")
    ingest = visit.caller.services.ingest
    run, reasons, rows = await asyncio.gather(
        visit.caller.ask(ingest.GetRun, ingest_pb2.GetRunRequest(run_id=run_id)),
        visit.caller.ask(ingest.ListQuarantineReasons, ingest_pb2.ListQuarantineReasonsRequest(run_id=run_id)),
        visit.caller.attempt(
            ingest.ListQuarantinedRows,
            ingest_pb2.ListQuarantinedRowsRequest(run_id=run_id, page_size=PAGE, page_token=visit.asked("page")),
        ),
    )
    return visit.page(
        "quarantined.html",
        run=run.run,
        reasons=reasons.reasons,
        total=sum(each.rows for each in reasons.reasons),
        rows=[(row.reason, _readable(row.raw)) for row in rows.value.rows] if rows.value else [],
        rows_problem=rows.problem,
        next=rows.value.next_page_token if rows.value else "",
        can_be_replayed=run.run.pipeline in REPLAYED,
        request_id=str(uuid.uuid4()),
    )


async def replay(visit: Visit) -> Response:
    """By the rules and the clock of today, as a run of its own."""
    request = ingest_pb2.ReplayQuarantineRequest(run_id=visit.part("run_id"), request_id=visit.sent("request_id"))
    answer = await visit.caller.ask(visit.caller.services.ingest.ReplayQuarantine, request)
    return go_to("runs", answer.run.run_id)


def _readable(raw: str) -> str:
    try:
        return json.dumps(json.loads(raw), indent=1, ensure_ascii=False)
    except ValueError:
        return raw
