"""Runs: all of them, one as it goes on, and what can be done with it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from afin.ingest.v1 import ingest_pb2
from console.services import problem_of
from console.views import runs as views
from console.views import words
from console.visit import Visit, go_to

PIPELINES = {words.pipeline_word(number): number for number in ingest_pb2.Pipeline.values() if number}
PAGE = 50
# After which a browser that still looks asks anew.
FOLLOWED = timedelta(minutes=10)


async def runs(visit: Visit) -> Response:
    """The newest first, of all pipelines or of one."""
    name = visit.asked("pipeline")
    pipeline = pipeline_named(name) if name else ingest_pb2.PIPELINE_UNSPECIFIED
    request = ingest_pb2.ListRunsRequest(pipeline=pipeline, page_size=PAGE, page_token=visit.asked("page"))
    listing = await visit.caller.ask(visit.caller.services.ingest.ListRuns, request)
    return visit.page(
        "runs.html",
        runs=listing.runs,
        next=listing.next_page_token,
        chosen=name,
        names=sorted(PIPELINES),
    )


async def run(visit: Visit) -> Response:
    """One run, which a browser then follows."""
    found = await _run(visit)
    return visit.page("run.html", **_told(found))


async def follow(visit: Visit) -> Response:
    """The run as server-sent events: `change` with its part of the page, `status` in words, `end` after the last."""
    if visit.parts.followers.locked():
        raise HTTPException(503, "too many pages follow runs now; reload to see how far this one is")
    stream = visit.caller.follow(
        visit.caller.services.ingest.WatchRun, ingest_pb2.WatchRunRequest(run_id=visit.part("run_id")), FOLLOWED
    )
    return StreamingResponse(_events(visit, stream), media_type="text/event-stream")


async def retry(visit: Visit) -> Response:
    """Goes on at the first unfinished step."""
    run_id = visit.part("run_id")
    await visit.caller.ask(visit.caller.services.ingest.RetryRun, ingest_pb2.RetryRunRequest(run_id=run_id))
    return go_to("runs", run_id)


async def cancel(visit: Visit) -> Response:
    """Ends it soon."""
    run_id = visit.part("run_id")
    await visit.caller.ask(visit.caller.services.ingest.CancelRun, ingest_pb2.CancelRunRequest(run_id=run_id))
    return go_to("runs", run_id)


def pipeline_named(name: str) -> "ingest_pb2.Pipeline.ValueType":
    """Raises HTTPException (404) for a name that no pipeline has."""
    if name not in PIPELINES:
        raise HTTPException(404, "there is no such pipeline")
    return PIPELINES[name]


async def _run(visit: Visit) -> ingest_pb2.Run:
    request = ingest_pb2.GetRunRequest(run_id=visit.part("run_id"))
    return (await visit.caller.ask(visit.caller.services.ingest.GetRun, request)).run


def _told(run: ingest_pb2.Run) -> dict[str, Any]:
    return {
        "run": run,
        "balance": views.balance(run),
        "is_ended": views.is_ended(run),
        "can_be_retried": views.can_be_retried(run),
        "done": views.steps_done(run),
        "active": views.active_step(run),
        "summary": views.summary(run),
    }


async def _events(
    visit: Visit, stream: "grpc.aio.UnaryStreamCall[object, ingest_pb2.WatchRunResponse]"
) -> AsyncIterator[str]:
    async with visit.parts.followers:
        stopping = asyncio.ensure_future(visit.parts.stop.wait())
        stopping.add_done_callback(lambda _: stream.cancel())
        try:
            async for told in stream:
                yield _event("status", views.summary(told.run))
                yield _event("change", visit.fragment("_run.html", **_told(told.run)))
                if views.is_ended(told.run):
                    yield _event("end", "")
        except grpc.aio.AioRpcError as error:
            # The browser asks again by itself.
            yield _event("status", problem_of(error))
        except asyncio.CancelledError:
            if not visit.parts.stop.is_set():
                raise
        finally:
            stream.cancel()
            stopping.cancel()


def _event(kind: str, content: str) -> str:
    lines = "".join(f"data: {line}\n" for line in content.splitlines() or [""])
    return f"event: {kind}\n{lines}\n"
