"""`afin quarantine`: rows that runs refused, why, and their replay."""

from typing import Annotated

import typer

from afin.ingest.v1 import ingest_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.paging import LimitOption, gathered, more
from cli.run_command import LIST, RequestOption, RunArgument, WatchOption
from cli.run_screen import pipeline_of
from cli.screen import Screen
from cli.watching import begun
from cli.words import moment

LOOKED_AT = 200
quarantine_app = typer.Typer(help="Rows that runs refused, and why.", no_args_is_help=True)

OfRunArgument = Annotated[
    str, typer.Argument(help="Of this run; without it the runs that refused any.", metavar="[RUN]")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Only rows whose reason holds this text.")]


@quarantine_app.command("list")
@calling("ingest", LIST)
async def list_reasons(afin: Afin, run: OfRunArgument = "") -> None:
    """Lists why a run refused rows, most frequent first; or the newest runs that refused any."""
    ingest = await afin.ingest()
    if run:
        asked = ingest_pb2.ListQuarantineReasonsRequest(run_id=run)
        reasons = await ingest.ListQuarantineReasons(asked, timeout=SHORT)
        afin.show(reasons, lambda: _print_reasons(reasons, run, afin.screen))
        return
    runs = await ingest.ListRuns(ingest_pb2.ListRunsRequest(page_size=LOOKED_AT), timeout=SHORT)
    found = ingest_pb2.ListRunsResponse(runs=[each for each in runs.runs if each.account.quarantined])
    afin.show(found, lambda: _print_runs(found, len(runs.runs), afin.screen))


@quarantine_app.command()
@calling("ingest", LIST)
async def show(afin: Afin, run: RunArgument, reason: ReasonOption = "", limit: LimitOption = 20) -> None:
    """Shows refused rows of a run as the source gave them. Such a row may name a client: needs operate."""
    asked = ingest_pb2.ListQuarantinedRowsRequest(run_id=run)
    answer = await gathered((await afin.ingest()).ListQuarantinedRows, asked, "rows", limit)
    chosen = ingest_pb2.ListQuarantinedRowsResponse(
        rows=[row for row in answer.rows if reason in row.reason], next_page_token=answer.next_page_token
    )
    afin.show(chosen, lambda: _print_rows(chosen, afin.screen))


@quarantine_app.command()
@calling("ingest", LIST)
async def replay(afin: Afin, run: RunArgument, watch: WatchOption = False, request: RequestOption = "") -> None:
    """Checks the refused rows of a run once more, and loads those that are good by now."""
    asked = ingest_pb2.ReplayQuarantineRequest(run_id=run, request_id=request)
    answer = await (await afin.ingest()).ReplayQuarantine(asked, timeout=SHORT)
    await begun(afin, answer.run, watched=watch)


def _print_runs(found: ingest_pb2.ListRunsResponse, looked_at: int, screen: Screen) -> None:
    rows = [
        (each.run_id, pipeline_of(each), moment(each.started_at), f"{each.account.quarantined:,}")
        for each in found.runs
    ]
    none = f"none of the newest {looked_at} runs refused a row"
    screen.listing(("RUN", "PIPELINE", "STARTED", ">REFUSED"), rows, none=none)


def _print_reasons(answer: ingest_pb2.ListQuarantineReasonsResponse, run: str, screen: Screen) -> None:
    if not answer.reasons:
        screen.say(f"run {run} refused no row")
        return
    screen.table((">ROWS", "REASON"), [(f"{each.rows:,}", each.reason) for each in answer.reasons])
    screen.note(f"  the rows: afin quarantine show {run}; once the cause is gone: afin quarantine replay {run} --watch")


def _print_rows(answer: ingest_pb2.ListQuarantinedRowsResponse, screen: Screen) -> None:
    for row in answer.rows:
        screen.title(row.reason)
        screen.say(row.raw)
    if not answer.rows:
        screen.say("no such row")
    if more(answer):
        screen.note(more(answer))
