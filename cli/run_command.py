"""`afin run`: starts pipelines, and lists, shows, follows, repeats and ends their runs."""

from typing import Annotated

import typer

from afin.ingest.v1 import ingest_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.ending import WrongUse
from cli.paging import LimitOption, gathered
from cli.run_screen import print_run, print_runs
from cli.watching import begun, watch

LIST = "afin run list"
PIPELINES = {
    "companies": ingest_pb2.PIPELINE_COMPANIES,
    "recommendations": ingest_pb2.PIPELINE_RECOMMENDATIONS,
    "reconcile": ingest_pb2.PIPELINE_RECONCILE,
    "backfill": ingest_pb2.PIPELINE_BACKFILL,
    "erasure": ingest_pb2.PIPELINE_ERASURE,
    "replay": ingest_pb2.PIPELINE_REPLAY,
}
STARTED = "Without --watch the run is started and named, and goes on by itself."

run_app = typer.Typer(help="Pipelines and their runs.", no_args_is_help=True)

RunArgument = Annotated[str, typer.Argument(help="The id of a run.", metavar="RUN")]
WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end; exit 1 unless it succeeds.")]
RequestOption = Annotated[
    str, typer.Option("--request-id", help="The same id again gives the same run instead of another.")
]
FewerOption = Annotated[
    bool, typer.Option("--accept-fewer", help="Retire as many companies as the source no longer lists. Needs admin.")
]
FirstDayOption = Annotated[str, typer.Option("--first-day", help="YYYY-MM-DD, by the payments' updated_at.")]
LastDayOption = Annotated[str, typer.Option("--last-day", help="YYYY-MM-DD, included.")]
PipelineOption = Annotated[str, typer.Option("--pipeline", "-p", help=f"Only of one: {', '.join(PIPELINES)}.")]


@run_app.command(help=f"Loads the catalogue of companies from the source. {STARTED}")
@calling("ingest")
async def companies(
    afin: Afin, watch: WatchOption = False, request: RequestOption = "", fewer: FewerOption = False
) -> None:
    """Loads the catalogue."""
    await _started(afin, "companies", request, watched=watch, fewer=fewer)


@run_app.command(help=f"Loads new payments, builds an index of them and publishes it. {STARTED}")
@calling("ingest")
async def recommendations(afin: Afin, watch: WatchOption = False, request: RequestOption = "") -> None:
    """Loads payments and makes an index."""
    await _started(afin, "recommendations", request, watched=watch)


@run_app.command(help=f"Reads the whole source again, heals what differs and reports what is gone. {STARTED}")
@calling("ingest")
async def reconcile(afin: Afin, watch: WatchOption = False, request: RequestOption = "") -> None:
    """Compares with the source."""
    await _started(afin, "reconcile", request, watched=watch)


@run_app.command(help=f"Reads again what changed in a range of days; the watermark stays. {STARTED}")
@calling("ingest")
async def backfill(
    afin: Afin,
    first_day: FirstDayOption,
    last_day: LastDayOption,
    watch: WatchOption = False,
    request: RequestOption = "",
) -> None:
    """Reads days again."""
    asked = ingest_pb2.BackfillRequest(first_day=first_day, last_day=last_day, request_id=request)
    await begun(afin, (await (await afin.ingest()).Backfill(asked, timeout=SHORT)).run, watched=watch)


@calling("ingest")
async def list_runs(afin: Afin, pipeline: PipelineOption = "", limit: LimitOption = 20) -> None:
    """Lists runs, newest first."""
    if pipeline and pipeline not in PIPELINES:
        raise WrongUse(f"--pipeline {pipeline}: must be one of {', '.join(PIPELINES)}")
    asked = ingest_pb2.ListRunsRequest(pipeline=PIPELINES.get(pipeline, ingest_pb2.PIPELINE_UNSPECIFIED))
    answer = await gathered((await afin.ingest()).ListRuns, asked, "runs", limit)
    afin.show(answer, lambda: print_runs(answer, afin.screen))


@run_app.command()
@calling("ingest", LIST)
async def show(afin: Afin, run: RunArgument) -> None:
    """Shows a run: its steps, the account of its rows, and why it failed."""
    found = await _run(afin, run)
    afin.show(found, lambda: print_run(found, afin.screen))


@run_app.command(name="watch")
@calling("ingest", LIST)
async def watch_run(afin: Afin, run: RunArgument) -> None:
    """Follows a run to its end; exit 1 unless it succeeds. Ctrl-C ends the watching, and the run goes on."""
    await watch(afin, await _run(afin, run))


@calling("ingest", LIST)
async def retry(afin: Afin, run: RunArgument, watch: WatchOption = False) -> None:
    """Puts a failed or cancelled run back to work at its first unfinished step."""
    answer = await (await afin.ingest()).RetryRun(ingest_pb2.RetryRunRequest(run_id=run), timeout=SHORT)
    await begun(afin, answer.run, watched=watch)


@calling("ingest", LIST)
async def cancel(afin: Afin, run: RunArgument) -> None:
    """Ends a run soon; a load that is under way is finished first."""
    answer = await (await afin.ingest()).CancelRun(ingest_pb2.CancelRunRequest(run_id=run), timeout=SHORT)
    afin.show(answer.run, lambda: afin.screen.say(f"run {run} is told to end; `afin run show {run}` tells when it has"))


run_app.command("list")(list_runs)
run_app.command("retry")(retry)
run_app.command("cancel")(cancel)


async def _run(afin: Afin, run: str) -> ingest_pb2.Run:
    return (await (await afin.ingest()).GetRun(ingest_pb2.GetRunRequest(run_id=run), timeout=SHORT)).run


async def _started(afin: Afin, pipeline: str, request: str, *, watched: bool, fewer: bool = False) -> None:
    asked = ingest_pb2.RunPipelineRequest(
        pipeline=PIPELINES[pipeline], request_id=request, accept_fewer_companies=fewer
    )
    await begun(afin, (await (await afin.ingest()).RunPipeline(asked, timeout=SHORT)).run, watched=watched)
