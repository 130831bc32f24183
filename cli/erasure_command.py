"""`afin erasure`: the records of what was erased. None of them tells whom it was about."""

from typing import Annotated

import typer

from afin.ingest.v1 import ingest_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.paging import LimitOption, gathered, more
from cli.run_screen import state_of
from cli.screen import Screen
from cli.words import moment, shortened, styled_state

LIST = "afin erasure list"
erasure_app = typer.Typer(help="Records of erased clients.", no_args_is_help=True)
ErasureArgument = Annotated[
    str, typer.Argument(help="The id of an erasure, which is its run's too.", metavar="ERASURE")
]


@erasure_app.command("list")
@calling("ingest")
async def list_erasures(afin: Afin, limit: LimitOption = 20) -> None:
    """Lists erasures, newest first."""
    method, asked = (await afin.ingest()).ListErasures, ingest_pb2.ListErasuresRequest()
    answer = await gathered(method, asked, "erasures", limit)
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
            ("state", styled_state(state_of(erasure))),
            ("asked for", moment(erasure.requested_at)),
            ("completed", moment(erasure.completed_at)),
            ("removed", f"{erasure.versions:,} versions and {erasure.confirmations:,} confirmations of the warehouse"),
            ("", f"{erasure.rows:,} rows of {erasure.objects:,} objects of the lake, {erasure.quarantined} refused"),
            ("index", erasure.index_version or "the one in service still knows the client"),
            ("error", erasure.error),
        )
    )


def _print_list(answer: ingest_pb2.ListErasuresResponse, screen: Screen) -> None:
    rows = [
        (
            each.erasure_id,
            styled_state(state_of(each)),
            moment(each.requested_at),
            moment(each.completed_at),
            f"{each.versions:,}",
            f"{each.rows:,}",
            each.index_version or "-",
            shortened(each.error),
        )
        for each in answer.erasures
    ]
    heads = ("ERASURE", "STATE", "ASKED FOR", "COMPLETED", ">VERSIONS", ">ROWS", "INDEX WITHOUT", "ERROR")
    screen.listing(heads, rows, none="nothing was erased yet", more=more(answer))
