"""`afin schedule`: when pipelines start by themselves."""

from typing import Annotated

import typer

from afin.ingest.v1 import ingest_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.ending import WrongUse
from cli.run_command import PIPELINES
from cli.run_screen import pipeline_of
from cli.screen import Screen
from cli.words import moment

LIST = "afin schedule list"
schedule_app = typer.Typer(help="When pipelines start by themselves.", no_args_is_help=True)

PipelineArgument = Annotated[str, typer.Argument(help="companies, recommendations or reconcile.", metavar="PIPELINE")]


@schedule_app.command("list")
@calling("ingest")
async def list_schedules(afin: Afin) -> None:
    """Lists schedules, with the next time of each."""
    answer = await (await afin.ingest()).ListSchedules(ingest_pb2.ListSchedulesRequest(), timeout=SHORT)
    afin.show(answer, lambda: _print(answer, afin.screen))


@schedule_app.command()
@calling("ingest", LIST)
async def pause(afin: Afin, pipeline: PipelineArgument) -> None:
    """Lets no time of a schedule start a run until it is resumed."""
    asked = ingest_pb2.PauseScheduleRequest(pipeline=_named(pipeline))
    answer = await (await afin.ingest()).PauseSchedule(asked, timeout=SHORT)
    afin.show(
        answer.schedule, lambda: afin.screen.say(f"{pipeline} is paused; `afin schedule resume {pipeline}` ends that")
    )


@schedule_app.command()
@calling("ingest", LIST)
async def resume(afin: Afin, pipeline: PipelineArgument) -> None:
    """Lets a schedule start runs again, from its next time on."""
    asked = ingest_pb2.ResumeScheduleRequest(pipeline=_named(pipeline))
    answer = await (await afin.ingest()).ResumeSchedule(asked, timeout=SHORT)
    afin.show(
        answer.schedule, lambda: afin.screen.say(f"{pipeline} starts next at {moment(answer.schedule.next_time)}")
    )


def _named(pipeline: str) -> "ingest_pb2.Pipeline.ValueType":
    if pipeline not in PIPELINES:
        raise WrongUse(f"{pipeline} is no pipeline with a schedule; `{LIST}` tells which there are")
    return PIPELINES[pipeline]


def _print(answer: ingest_pb2.ListSchedulesResponse, screen: Screen) -> None:
    rows = [
        (pipeline_of(each), each.cron, "paused" if each.paused else moment(each.next_time), moment(each.last_time))
        for each in answer.schedules
    ]
    none = "no schedule; set INGEST_RECOMMENDATIONS_SCHEDULE and INGEST_COMPANIES_SCHEDULE of ingest"
    screen.listing(("PIPELINE", "CRON (UTC)", "NEXT", "LAST"), rows, none=none)
