"""`afin client`: what is known of a client, at any moment, and the client's erasure. Nothing of it comes into a log."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Annotated

import typer

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.client_argument import ClientArgument
from cli.ending import NOT_FOUND, Failed, WrongUse
from cli.erasure_command import print_erasure
from cli.paging import LimitOption, gathered, more
from cli.recommendations import print_recommendations
from cli.run_command import RequestOption, WatchOption
from cli.screen import Screen
from cli.watching import watch as watch_run
from cli.words import moment, timestamp

MANY = 10_000
SHOWN = 10
client_app = typer.Typer(help="What is known of a client. Needs a key of the role operate.", no_args_is_help=True)


def _confirmed(yes: bool) -> bool:
    if not yes:
        typer.confirm("Nothing brings the client's history back. Erase it?", abort=True, err=True)
    return yes


AsOfOption = Annotated[str, typer.Option("--as-of", help="As it stood then: YYYY-MM-DD (its end, UTC) or ISO 8601.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.", callback=_confirmed)]


@client_app.command()
@calling("warehouse")
async def show(afin: Afin, client: ClientArgument) -> None:
    """Shows which companies a client pays, and what is recommended and why."""
    payments = await _payments(afin, client, "", MANY)
    asked = recommender_pb2.RecommendRequest(client_id=client, max_results=SHOWN, with_reasons=True)
    answer = await (await afin.recommender()).Recommend(asked, timeout=SHORT)
    if not payments.payments and not answer.client_known:
        raise Failed("neither warehouse nor index knows this client", NOT_FOUND)
    if afin.as_json:
        afin.show_parts({"payments": payments, "recommended": answer})
        return
    _print_summary(payments, afin.screen)
    afin.screen.title("Recommended")
    print_recommendations(answer, afin.screen)


@client_app.command()
@calling("warehouse")
async def history(afin: Afin, client: ClientArgument, as_of: AsOfOption = "", limit: LimitOption = 50) -> None:
    """Lists a client's payments as they stand, or stood at any moment; newest first."""
    answer = await _payments(afin, client, as_of, limit)
    afin.show(answer, lambda: _print_payments(answer, afin.screen))


@client_app.command()
@calling("ingest")
async def erase(
    afin: Afin, client: ClientArgument, yes: YesOption = False, watch: WatchOption = False, request: RequestOption = ""
) -> None:
    """Removes a client from warehouse, lake and the next index, for good. Needs admin."""
    del yes  # it was asked for when the arguments were read
    if client in request:
        raise WrongUse("--request-id holds the client's id, and would be kept; name it after the letter, say")
    ingest = await afin.ingest()
    asked = ingest_pb2.EraseClientRequest(external_client_id=client, request_id=request)
    erasure = (await ingest.EraseClient(asked, timeout=SHORT)).erasure
    if not watch:
        afin.show(erasure, lambda: print_erasure(erasure, afin.screen))
        return
    await watch_run(afin, (await ingest.GetRun(ingest_pb2.GetRunRequest(run_id=erasure.erasure_id), timeout=SHORT)).run)
    told = await ingest.GetErasure(ingest_pb2.GetErasureRequest(erasure_id=erasure.erasure_id), timeout=SHORT)
    if not afin.as_json:
        print_erasure(told.erasure, afin.screen)


async def _payments(afin: Afin, client: str, as_of: str, limit: int) -> warehouse_pb2.ListClientPaymentsResponse:
    asked = warehouse_pb2.ListClientPaymentsRequest(external_client_id=client, as_of=timestamp(as_of))
    return await gathered((await afin.warehouse()).ListClientPayments, asked, "payments", limit)


def _print_summary(answer: warehouse_pb2.ListClientPaymentsResponse, screen: Screen) -> None:
    payments = answer.payments
    counts = Counter(each.company_code for each in payments)
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    newest: dict[str, str] = {}
    for each in payments:
        sums[each.company_code] += Decimal(each.amount or 0)
        newest.setdefault(each.company_code, moment(each.payment_at))
    screen.say(f"{len(payments):,} payments to {len(counts):,} companies{' (the newest)' if more(answer) else ''}")
    rows = [(code, f"{count:,}", f"{sums[code]:,.2f}", newest[code]) for code, count in counts.most_common(SHOWN)]
    if rows:
        screen.table(("COMPANY", ">PAYMENTS", ">AMOUNT", "NEWEST"), rows)


def _print_payments(answer: warehouse_pb2.ListClientPaymentsResponse, screen: Screen) -> None:
    heads = ("PAYMENT", "COMPANY", "PAID AT", "STATUS", ">AMOUNT", "TRUE FROM", "UNTIL", "BY RUN")
    rows = [
        (
            each.payment_id,
            each.company_code,
            moment(each.payment_at),
            each.status,
            each.amount,
            moment(each.start_date),
            moment(each.end_date),
            each.load_id,
        )
        for each in answer.payments
    ]
    screen.listing(heads, rows, none="no payment of this client is known, as of then", more=more(answer))
