"""`afin index`: versions, their quality, and which one is in service."""

from typing import Annotated

import typer

from afin.indexer.v1 import indexer_pb2
from cli.afin_calls import LONG, SHORT, Afin
from cli.calling import calling
from cli.ending import NOT_NOW, Failed
from cli.index_screen import print_comparison, print_publications, print_version, print_versions
from cli.paging import LimitOption, gathered

LIST = "afin index list"
index_app = typer.Typer(help="Index versions, and which one is in service.", no_args_is_help=True)

VersionArgument = Annotated[str, typer.Argument(help="An index version.", metavar="VERSION")]
OlderArgument = Annotated[str, typer.Argument(help="Without it the one in service before.", metavar="[VERSION]")]
BaseOption = Annotated[str, typer.Option("--base", help="Compare with this one; without it with the one in service.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
OverrideOption = Annotated[
    str, typer.Option("--override", help="Why although a check of quality, age or losses fails; kept. Needs admin.")
]


@index_app.command("list")
@calling("indexer")
async def list_versions(afin: Afin, limit: LimitOption = 20) -> None:
    """Lists versions, newest first, with their quality."""
    method, asked = (await afin.indexer()).ListIndexVersions, indexer_pb2.ListIndexVersionsRequest()
    answer = await gathered(method, asked, "index_versions", limit)
    afin.show(answer, lambda: print_versions(answer, afin.screen))


@index_app.command()
@calling("indexer", LIST)
async def show(afin: Afin, version: VersionArgument) -> None:
    """Shows a version: what it was made of, its quality, and what its validation found."""
    asked = indexer_pb2.GetIndexVersionRequest(version=version)
    answer = await (await afin.indexer()).GetIndexVersion(asked, timeout=SHORT)
    afin.show(answer.index_version, lambda: print_version(answer.index_version, afin.screen))


@index_app.command()
@calling("indexer")
async def publications(afin: Afin, limit: LimitOption = 20) -> None:
    """Lists what was put into service, when and why; newest first."""
    method, asked = (await afin.indexer()).ListPublications, indexer_pb2.ListPublicationsRequest()
    answer = await gathered(method, asked, "publications", limit)
    afin.show(answer, lambda: print_publications(answer, afin.screen))


@index_app.command()
@calling("indexer", LIST)
async def compare(afin: Afin, version: VersionArgument, base: BaseOption = "") -> None:
    """Holds a version beside another: data, quality client by client, and how alike their answers are."""
    asked = indexer_pb2.CompareIndexVersionsRequest(base=base, version=version)
    answer = await (await afin.indexer()).CompareIndexVersions(asked, timeout=LONG)
    afin.show(answer, lambda: print_comparison(answer, afin.screen))


@index_app.command()
@calling("indexer", LIST)
async def promote(afin: Afin, version: VersionArgument, override: OverrideOption = "") -> None:
    """Validates a version, and puts it into service when it passes. One that was there before comes by a rollback."""
    indexer = await afin.indexer()
    asked = indexer_pb2.ValidateIndexRequest(version=version, publish=True, override_reason=override)
    answer = await indexer.ValidateIndex(asked, timeout=LONG)
    if not answer.HasField("publication"):
        raise refused(version, answer.validation)
    # Of a version that was rolled back from this is the publication of then.
    last = indexer_pb2.ListPublicationsRequest(page_size=1)
    newest = (await indexer.ListPublications(last, timeout=SHORT)).publications
    if newest and newest[0].version != version:
        back = f"afin index rollback {version} --reason ..."
        raise Failed(f"{version} was in service before and was rolled back from; `{back}` brings it back", NOT_NOW)
    told = answer.publication
    afin.show(answer, lambda: afin.screen.say(f"{version} is in service under epoch {told.epoch}"))


def refused(version: str, validation: indexer_pb2.Validation) -> Failed:
    """The end of a command whose version did not pass."""
    failed = "; ".join(f"{check.name}: {check.detail}" for check in validation.checks if not check.passed)
    return Failed(f"{version} stays out of service: {failed or 'its validation failed'}")


@index_app.command()
@calling("indexer", "afin index publications")
async def rollback(afin: Afin, reason: ReasonOption, version: OlderArgument = "") -> None:
    """Puts a version into service that was there before. Needs admin."""
    asked = indexer_pb2.RollbackIndexRequest(version=version, reason=reason)
    answer = await (await afin.indexer()).RollbackIndex(asked, timeout=LONG)
    told = answer.publication
    afin.show(told, lambda: afin.screen.say(f"{told.version} is in service under epoch {told.epoch}"))
