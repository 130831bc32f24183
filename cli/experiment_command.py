"""`afin experiment`: a second version that answers a share of the clients, and what came of it."""

from datetime import timedelta
from typing import Annotated

import typer

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from cli.afin_calls import LONG, SHORT, Afin
from cli.calling import calling
from cli.index_command import LIST, OverrideOption, ReasonOption, VersionArgument, refused
from cli.screen import Screen
from cli.words import name_of, timestamp
from services.runtime.clock import utc_now
from services.runtime.timestamps import timestamp_of

experiment_app = typer.Typer(
    help="Two index versions side by side. Needs admin but for the report.", no_args_is_help=True
)

NameArgument = Annotated[str, typer.Argument(help="The experiment's name: 1 to 40 of a-z, 0-9 and -.", metavar="NAME")]
ShareOption = Annotated[float, typer.Option("--share", help="Of the clients; between 0 and 1.")]
PromoteOption = Annotated[
    bool, typer.Option("--promote/--discard", help="The challenger becomes the main version, or goes.")
]
SinceOption = Annotated[str, typer.Option("--since", help="Answers from then on; without it of 30 days.")]
UntilOption = Annotated[str, typer.Option("--until", help="And before this; without it until now.")]
DAYS = timedelta(days=30)


@experiment_app.command()
@calling("indexer", LIST)
async def start(  # noqa: PLR0913, PLR0917 - typer makes an option of each argument
    afin: Afin,
    name: NameArgument,
    version: VersionArgument,
    share: ShareOption,
    reason: ReasonOption,
    override: OverrideOption = "",
) -> None:
    """Has a version answer a share of the clients, when it passes validation."""
    asked = indexer_pb2.StartExperimentRequest(
        experiment=name, version=version, share=share, reason=reason, override_reason=override
    )
    answer = await (await afin.indexer()).StartExperiment(asked, timeout=LONG)
    if not answer.HasField("publication"):
        raise refused(version, answer.validation)
    epoch = answer.publication.epoch
    afin.show(answer, lambda: afin.screen.say(f"{version} answers {share:.0%} of the clients under epoch {epoch}"))


@experiment_app.command()
@calling("indexer", "afin index publications")
async def change(afin: Afin, name: NameArgument, share: ShareOption, reason: ReasonOption) -> None:
    """Gives the running experiment another share; a larger one keeps the clients that it had."""
    asked = indexer_pb2.ChangeExperimentRequest(experiment=name, share=share, reason=reason)
    told = (await (await afin.indexer()).ChangeExperiment(asked, timeout=SHORT)).publication
    afin.show(told, lambda: afin.screen.say(f"{name} answers {share:.0%} of the clients under epoch {told.epoch}"))


@experiment_app.command()
@calling("indexer", "afin index publications")
async def stop(afin: Afin, name: NameArgument, reason: ReasonOption, promote: PromoteOption = False) -> None:
    """Ends the running experiment."""
    outcome = indexer_pb2.EXPERIMENT_OUTCOME_PROMOTED if promote else indexer_pb2.EXPERIMENT_OUTCOME_DISCARDED
    asked = indexer_pb2.StopExperimentRequest(experiment=name, outcome=outcome, reason=reason)
    told = (await (await afin.indexer()).StopExperiment(asked, timeout=SHORT)).publication
    afin.show(told, lambda: afin.screen.say(f"{name} has ended; {told.version} answers everybody"))


@experiment_app.command()
@calling("ingest")
async def report(afin: Afin, since: SinceOption = "", until: UntilOption = "") -> None:
    """Tells what came of answers, by variant: shares that were clicked or paid, with 95 % intervals."""
    asked = ingest_pb2.GetFeedbackReportRequest(
        since=timestamp(since) or timestamp_of(utc_now() - DAYS), until=timestamp(until)
    )
    answer = await (await afin.ingest()).GetFeedbackReport(asked, timeout=LONG)
    afin.show(answer, lambda: _print(answer, afin.screen))


def _print(answer: ingest_pb2.GetFeedbackReportResponse, screen: Screen) -> None:
    if not answer.variants:
        screen.say("nothing was told of answers of that time; docs/recommend.md says how it is told")
        return
    rows = []
    for each in answer.variants:
        name = f"{each.variant} (since epoch {each.experiment})" if each.experiment else each.variant
        rows.append(_row(name, each.tally, each.click_difference, each.hit_difference))
        rows += [_row(f"  {_strategy(of.strategy)}", of.tally) for of in each.strategies]
    screen.table(("VARIANT", ">SHOWN", ">CLICKED", "SHARE", ">PAID", "SHARE", "TO MAIN: CLICKED", "PAID"), rows)
    if answer.sample < 1:
        screen.say(f"counted over a sample of {answer.sample:.1%} of the answers")


def _row(name: str, tally: ingest_pb2.FeedbackTally, *differences: ingest_pb2.Estimate) -> tuple[str, ...]:
    clicked, paid = _estimate(tally.click_share), _estimate(tally.hit_share)
    told = [_estimate(each) for each in differences] or ["", ""]
    return name, f"{tally.shown:,}", f"{tally.clicked:,}", clicked, f"{tally.paid:,}", paid, *told


def _estimate(share: ingest_pb2.Estimate) -> str:
    if not share.ListFields():
        return ""
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def _strategy(strategy: "recommender_pb2.Strategy.ValueType") -> str:
    return name_of(recommender_pb2.Strategy.Name, strategy, "STRATEGY_")
