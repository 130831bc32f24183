"""Follows a run to its end, for a person or, a line of JSON a change, for a program."""

import asyncio

import grpc

from afin.ingest.v1 import ingest_pb2
from cli.afin_calls import SHORT, Afin
from cli.ending import Failed
from cli.progress import Before, paces_of
from cli.run_screen import account_text, pipeline_of, state_of
from cli.words import between
from demo.main_job.pipelines import ENDED, follow

LOOKED_BACK = 10


async def begun(afin: Afin, run: ingest_pb2.Run, *, watched: bool) -> None:
    """Follows a run that was just started, or tells how to."""
    if watched:
        await watch(afin, run)
        return
    afin.show(
        run, lambda: afin.screen.say(f"run {run.run_id} is {state_of(run)}; `afin run watch {run.run_id}` follows it")
    )


async def watch(afin: Afin, run: ingest_pb2.Run) -> None:
    """Until the run has ended; Failed unless it succeeded. Whoever stops watching is told that the run goes on."""
    try:
        run = await (_watch_as_json(afin, run) if afin.as_json else _watch_on_screen(afin, run))
    except asyncio.CancelledError:
        afin.screen.note(
            f"  run {run.run_id} goes on without you: afin run watch {run.run_id}, or afin cancel {run.run_id}"
        )
        raise
    if run.state != ingest_pb2.RUN_STATE_SUCCEEDED:
        again = f"; `afin retry {run.run_id} --watch` goes on where it stopped"
        raise Failed(f"run {run.run_id} {state_of(run)}: {run.error or 'it was told to end'}{again}")


async def _watch_on_screen(afin: Afin, run: ingest_pb2.Run) -> ingest_pb2.Run:
    afin.screen.say(f"{pipeline_of(run)}, run {run.run_id}")
    ingest, before = await afin.ingest(), await _before(afin, run)
    with afin.screen.following(before) as follower:
        follower(run)
        while run.state not in ENDED:
            run = await follow(ingest, run, follower)
    if run.state == ingest_pb2.RUN_STATE_SUCCEEDED:
        rows = account_text(run)
        afin.screen.say(f"succeeded in {between(run.started_at, run.ended_at)}{': ' if rows else ''}{rows}")
    return run


async def _watch_as_json(afin: Afin, run: ingest_pb2.Run) -> ingest_pb2.Run:
    ingest = await afin.ingest()
    if run.state in ENDED:
        afin.show(run, lambda: None, one_line=True)
    while run.state not in ENDED:
        run = await follow(ingest, run, lambda now: afin.show(now, lambda: None, one_line=True))
    return run


async def _before(afin: Afin, run: ingest_pb2.Run) -> Before:
    """The paces of the newest of a few runs of the pipeline that succeeded: a help, for which nothing fails."""
    asked = ingest_pb2.ListRunsRequest(pipeline=run.pipeline, page_size=LOOKED_BACK)
    try:
        runs = (await (await afin.ingest()).ListRuns(asked, timeout=SHORT)).runs
    except grpc.aio.AioRpcError:
        return {}
    return paces_of(next((each for each in runs if each.state == ingest_pb2.RUN_STATE_SUCCEEDED), None))
