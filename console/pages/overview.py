"""The first page: how far the data are, what is in service, and how each pipeline's newest run went."""

import asyncio
from datetime import timedelta

from starlette.responses import Response

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from console.views import words
from console.views.runs import newest_by_pipeline
from console.visit import Visit

RUNS = 100
SHOWN = 8
# Pipelines that are of interest before they ever ran; the others come after them once they did.
FIRST = (ingest_pb2.PIPELINE_RECOMMENDATIONS, ingest_pb2.PIPELINE_COMPANIES)
STALE = timedelta(hours=48)


async def overview(visit: Visit) -> Response:
    """Whatever does not answer leaves its own part empty."""
    caller, services = visit.caller, visit.caller.services
    listing, schedules, watermark, info, publications, health = await asyncio.gather(
        caller.attempt(services.ingest.ListRuns, ingest_pb2.ListRunsRequest(page_size=RUNS)),
        caller.attempt(services.ingest.ListSchedules, ingest_pb2.ListSchedulesRequest()),
        caller.attempt(services.ingest.GetWatermark, ingest_pb2.GetWatermarkRequest()),
        caller.attempt(services.recommender.GetIndexInfo, recommender_pb2.GetIndexInfoRequest()),
        caller.attempt(services.indexer.ListPublications, indexer_pb2.ListPublicationsRequest(page_size=1)),
        caller.health(),
    )
    runs = listing.value.runs if listing.value else []
    newest = newest_by_pipeline(runs)
    order = [*FIRST, *(pipeline for pipeline in sorted(newest) if pipeline not in FIRST)]
    payments = words.moment_of(watermark.value.payments) if watermark.value else None
    now = visit.parts.clock()
    return visit.page(
        "overview.html",
        runs=runs[:SHOWN],
        runs_problem=listing.problem,
        pipelines=[(pipeline, newest.get(pipeline)) for pipeline in order],
        schedules={each.pipeline: each for each in schedules.value.schedules} if schedules.value else {},
        watermark=watermark,
        lag=now - payments if payments else None,
        is_stale=payments is not None and now - payments > STALE,
        info=info,
        publication=publications.value.publications[0]
        if publications.value and publications.value.publications
        else None,
        health=health,
    )
