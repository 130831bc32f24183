"""Index versions: which is in service and why, how good they are, and how they differ."""

import asyncio
from datetime import timedelta

from starlette.responses import Response

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from console.views.quality import coverage_over_time, quality_over_time
from console.visit import Visit
from services.runtime.timestamps import timestamp_of

VERSIONS, PUBLICATIONS = 50, 20
FEEDBACK = timedelta(days=30)
# Of many answers it may take longer to count; the page does without.
COUNTING = timedelta(seconds=3)
# Two versions are fetched and held side by side in a child process.
COMPARING = timedelta(minutes=5)


async def index(visit: Visit) -> Response:
    """All versions, publications, the running experiment, and what became of answers."""
    caller, services = visit.caller, visit.caller.services
    wanted = indexer_pb2.ListIndexVersionsRequest(page_size=VERSIONS, page_token=visit.asked("page"))
    newly = indexer_pb2.ListPublicationsRequest(page_size=PUBLICATIONS)
    lately = ingest_pb2.GetFeedbackReportRequest(since=timestamp_of(visit.parts.clock() - FEEDBACK))
    listing, publications, feedback = await asyncio.gather(
        caller.ask(services.indexer.ListIndexVersions, wanted),
        caller.ask(services.indexer.ListPublications, newly),
        caller.attempt(services.ingest.GetFeedbackReport, lately, COUNTING),
    )
    versions, published = listing.index_versions, publications.publications
    newest = published[0] if published else None
    return visit.page(
        "index.html",
        versions=versions,
        next=listing.next_page_token,
        publications=published,
        newest=newest,
        experiment=newest.experiment if newest and newest.HasField("experiment") else None,
        quality=quality_over_time(versions),
        coverage=coverage_over_time(versions),
        feedback=feedback,
    )


async def version(visit: Visit) -> Response:
    """One version with the checks of its newest validation."""
    indexer = visit.caller.services.indexer
    found, listing = await asyncio.gather(
        visit.caller.ask(indexer.GetIndexVersion, indexer_pb2.GetIndexVersionRequest(version=visit.part("version"))),
        visit.caller.attempt(indexer.ListIndexVersions, indexer_pb2.ListIndexVersionsRequest(page_size=VERSIONS)),
    )
    one, versions = found.index_version, listing.value.index_versions if listing.value else []
    others = [each for each in versions if each.version != one.version]
    return visit.page("version.html", one=one, others=others)


async def compare(visit: Visit) -> Response:
    """Two versions side by side."""
    request = indexer_pb2.CompareIndexVersionsRequest(base=visit.asked("base"), version=visit.asked("version"))
    told = await visit.caller.ask(visit.caller.services.indexer.CompareIndexVersions, request, COMPARING)
    return visit.page("compared.html", told=told)
