"""A pipeline: its newest run, its past, its schedule, and what starts it."""

import asyncio
import uuid

from starlette.responses import Response

from afin.ingest.v1 import ingest_pb2
from console.pages.runs import pipeline_named
from console.views import words
from console.views.calendar import calendar
from console.views.grid import grid
from console.views.run_charts import durations, throughput
from console.visit import Visit, go_to

RUNS = 200
STARTED_PLAINLY = ("companies", "recommendations", "reconcile")


async def pipeline(visit: Visit) -> Response:
    """Its page; pictures are made of the newest RUNS runs."""
    name = visit.part("name")
    number = pipeline_named(name)
    ingest = visit.caller.services.ingest
    listing, schedules, watermark = await asyncio.gather(
        visit.caller.ask(ingest.ListRuns, ingest_pb2.ListRunsRequest(pipeline=number, page_size=RUNS)),
        visit.caller.attempt(ingest.ListSchedules, ingest_pb2.ListSchedulesRequest()),
        visit.caller.attempt(ingest.GetWatermark, ingest_pb2.GetWatermarkRequest()),
    )
    found = listing.runs
    planned = schedules.value.schedules if schedules.value else []
    return visit.page(
        "pipeline.html",
        name=name,
        runs=found[:10],
        newest=found[0] if found else None,
        calendar=calendar(found, visit.parts.clock().date(), not listing.next_page_token),
        grid=grid(found),
        durations=durations(found),
        throughput=throughput(found),
        schedule=next((each for each in planned if each.pipeline == number), None),
        watermark=watermark.value,
        starts_plainly=name in STARTED_PLAINLY,
        request_id=str(uuid.uuid4()),
        today=words.day(visit.parts.clock()),
    )


async def start(visit: Visit) -> Response:
    """A run by hand; the form's own id makes a form that is sent twice one run."""
    number = pipeline_named(visit.part("name"))
    request = ingest_pb2.RunPipelineRequest(
        pipeline=number,
        request_id=visit.sent("request_id"),
        accept_fewer_companies=visit.sent("accept_fewer_companies") == "yes",
    )
    return _to_run((await visit.caller.ask(visit.caller.services.ingest.RunPipeline, request)).run)


async def backfill(visit: Visit) -> Response:
    """Reads a range of days again."""
    request = ingest_pb2.BackfillRequest(
        first_day=visit.sent("first_day"), last_day=visit.sent("last_day"), request_id=visit.sent("request_id")
    )
    return _to_run((await visit.caller.ask(visit.caller.services.ingest.Backfill, request)).run)


async def pause(visit: Visit) -> Response:
    """Its times pass without a run."""
    name = visit.part("name")
    request = ingest_pb2.PauseScheduleRequest(pipeline=pipeline_named(name))
    await visit.caller.ask(visit.caller.services.ingest.PauseSchedule, request)
    return go_to("pipelines", name)


async def resume(visit: Visit) -> Response:
    """From its next time on it runs again."""
    name = visit.part("name")
    request = ingest_pb2.ResumeScheduleRequest(pipeline=pipeline_named(name))
    await visit.caller.ask(visit.caller.services.ingest.ResumeSchedule, request)
    return go_to("pipelines", name)


def _to_run(run: ingest_pb2.Run) -> Response:
    return go_to("runs", run.run_id)
