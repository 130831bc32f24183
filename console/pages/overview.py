"""The first page: how far the data are, what is in service, and how each pipeline's newest run went."""

import asyncio

from starlette.responses import Response

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from console.services import Told
from console.views import words
from console.visit import Visit

SHOWN = 8
# Pipelines that are of interest before they ever ran; the others come after them once they did.
FIRST = (ingest_pb2.PIPELINE_RECOMMENDATIONS, ingest_pb2.PIPELINE_COMPANIES)
OTHERS = tuple(number for number in ingest_pb2.Pipeline.values() if number and number not in FIRST)


async def overview(visit: Visit) -> Response:
    """Whatever does not answer leaves its own part empty."""
    caller, services = visit.caller, visit.caller.services
    (listing, pipelines), schedules, watermark, info, publications, health = await asyncio.gather(
        _runs(visit),
        caller.attempt(services.ingest.ListSchedules, ingest_pb2.ListSchedulesRequest()),
        caller.attempt(services.ingest.GetWatermark, ingest_pb2.GetWatermarkRequest()),
        caller.attempt(services.recommender.GetIndexInfo, recommender_pb2.GetIndexInfoRequest()),
        caller.attempt(services.indexer.ListPublications, indexer_pb2.ListPublicationsRequest(page_size=1)),
        caller.health(),
    )
    runs = listing.value.runs if listing.value else []
    payments = words.moment_of(watermark.value.payments) if watermark.value else None
    published = publications.value.publications if publications.value else []
    now = visit.parts.clock()
    return visit.page(
        "overview.html",
        runs=runs,
        runs_problem=listing.problem,
        pipelines=[each for each in pipelines if each[1] or each[0] in FIRST],
        schedules={each.pipeline: each for each in schedules.value.schedules} if schedules.value else {},
        watermark=watermark,
        lag=now - payments if payments else None,
        info=info,
        publication=published[0] if published else None,
        health=health,
    )


async def _runs(visit: Visit) -> tuple[Told[ingest_pb2.ListRunsResponse], list[tuple[int, ingest_pb2.Run | None]]]:
    """The newest of all, and the newest of each pipeline."""
    return await asyncio.gather(
        visit.caller.attempt(visit.caller.services.ingest.ListRuns, ingest_pb2.ListRunsRequest(page_size=SHOWN)),
        asyncio.gather(*(_newest(visit, pipeline) for pipeline in (*FIRST, *OTHERS))),
    )


async def _newest(visit: Visit, pipeline: "ingest_pb2.Pipeline.ValueType") -> tuple[int, ingest_pb2.Run | None]:
    """Asked for each by itself: among the newest of all, a weekly one may be long past."""
    request = ingest_pb2.ListRunsRequest(pipeline=pipeline, page_size=1)
    told = await visit.caller.attempt(visit.caller.services.ingest.ListRuns, request)
    return pipeline, told.value.runs[0] if told.value and told.value.runs else None
