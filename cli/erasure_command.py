"""`afin erasure`: the records of what was erased. None of them tells whom it was about."""

from typing import Annotated

import typer

from afin.ingest.v1 import ingest_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.paging import LimitOption, gathered, more
from cli.screen import Screen
from cli.words import moment, name_of, shortened, styled_state

LIST = "afin erasure list"
erasure_app = typer.Typer(help="Records of erased clients.", no_args_is_help=True)
ErasureArgument = Annotated[
    str, typer.Argument(help="The id of an erasure, which is its run's too.", metavar="ERASURE")
]


@erasure_app.command("list")
@calling("ingest")
async def list_erasures(afin: Afin, limit: LimitOption = 20) -> None:
    """Lists erasures, newest first."""
    ingest = await afin.ingest()

    async def page(size: int, token: str) -> ingest_pb2.ListErasuresResponse:
        return await ingest.ListErasures(
            ingest_pb2.ListErasuresRequest(page_size=size, page_token=token), timeout=SHORT
        )

    answer = await gathered(page, "erasures", limit)
    afin.show(answer, lambda: _print_list(answer, afin.screen))


@erasure_app.command()
@calling("ingest", LIST)
async def show(afin: Afin, erasure: ErasureArgument) -> None:
    """Shows what an erasure removed, and whether an index without the client is in service."""
    answer = await (await afin.ingest()).GetErasure(ingest_pb2.GetErasureRequest(erasure_id=erasure), timeout=SHORT)
    afin.show(answer.erasure, lambda: print_erasure(answer.erasure, afin.screen))


def print_erasure(erasure: ingest_pb2.Erasure, screen: Screen) -> None:
    """One record."""
    screen.fields(
        (
            ("erasure", erasure.erasure_id),
            ("state", styled_state(_state(erasure))),
            ("asked for", moment(erasure.requested_at)),
            ("completed", moment(erasure.completed_at)),
            ("removed", f"{erasure.versions:,} versions and {erasure.confirmations:,} confirmations of the warehouse"),
            (
                "",
                f"{erasure.rows:,} rows of {erasure.objects:,} objects of the lake, {erasure.quarantined} refused",
            ),
            ("index", erasure.index_version or "the one in service still knows the client"),
            ("error", erasure.error),
        )
    )


def _print_list(answer: ingest_pb2.ListErasuresResponse, screen: Screen) -> None:
    if not answer.erasures:
        screen.say("nothing was erased yet")
        return
    rows = [
        (
            each.erasure_id,
            styled_state(_state(each)),
            moment(each.requested_at),
            moment(each.completed_at),
            f"{each.versions:,}",
            f"{each.rows:,}",
            each.index_version or "-",
            shortened(each.error),
        )
        for each in answer.erasures
    ]
    screen.table(("ERASURE", "STATE", "ASKED FOR", "COMPLETED", ">VERSIONS", ">ROWS", "INDEX WITHOUT", "ERROR"), rows)
    if more(answer):
        screen.note(more(answer))


def _state(erasure: ingest_pb2.Erasure) -> str:
    return name_of(ingest_pb2.RunState.Name, erasure.state, "RUN_STATE_")
