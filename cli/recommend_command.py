"""`afin recommend`: asks a running recommender, for a person to read or for a program."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToJson

from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from cli.recommendations import print_recommendations
from cli.screen import Screen
from cli.session import run_session
from demo.stack.options import FIXED_PORTS
from services.runtime.access.keys import AccessFileError
from services.runtime.access.proof import Proof
from services.runtime.channels import open_channel

PATIENCE = timedelta(seconds=10)
USUAL_ADDRESS = f"127.0.0.1:{FIXED_PORTS['recommender']}"

ClientArgument = Annotated[str, typer.Argument(metavar="[CLIENT]", help="Whom to recommend for.")]
CompanyOption = Annotated[list[str] | None, typer.Option("--company", help="Instead: as if these had been paid.")]
PlacesOption = Annotated[int, typer.Option("-k", help="How many companies.")]
OnlyOption = Annotated[list[str] | None, typer.Option("--only", help="Only these companies.")]
ExcludeOption = Annotated[list[str] | None, typer.Option("--exclude", help="Not these companies.")]
CategoryOption = Annotated[list[int] | None, typer.Option("--category", help="Only companies of these categories.")]
PaidOption = Annotated[bool, typer.Option("--paid", help="Companies already paid, too.")]
ScoreOption = Annotated[
    float | None, typer.Option("--min-score", help="None below it; 0: no filling with popular ones.")
]
PerCategoryOption = Annotated[
    int, typer.Option("--per-category", help="At most so many of one category; 0: as the service is set.")
]
WhyOption = Annotated[bool, typer.Option("--why", help="Tell what speaks for each, and for the list.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
AddressOption = Annotated[str, typer.Option(help="host:port of the recommender.")]
CaOption = Annotated[Path | None, typer.Option("--ca", help="Its authorities, PEM: turns TLS on.")]
KeyOption = Annotated[Path | None, typer.Option("--key-file", help="File that holds the API key to ask with.")]


def recommend(  # noqa: PLR0913, PLR0917 - typer makes an option of each argument
    client: ClientArgument = "",
    company: CompanyOption = None,
    places: PlacesOption = 10,
    only: OnlyOption = None,
    exclude: ExcludeOption = None,
    category: CategoryOption = None,
    paid: PaidOption = False,
    min_score: ScoreOption = None,
    per_category: PerCategoryOption = 0,
    why: WhyOption = False,
    as_json: JsonOption = False,
    address: AddressOption = USUAL_ADDRESS,
    ca: CaOption = None,
    key_file: KeyOption = None,
) -> None:
    """Companies that a client is likely to pay next. Options that take a code or a category may be given repeatedly."""
    request = recommender_pb2.RecommendRequest(
        client_id=client,
        company_codes=company,
        max_results=places,
        only_company_codes=only,
        exclude_company_codes=exclude,
        category_ids=category,
        include_paid=paid,
        min_score=min_score,
        max_per_category=per_category,
        with_reasons=why,
    )
    screen = Screen()
    try:
        proof = Proof(ca_file=ca, api_key_file=key_file)
        run_session(_recommend(request, address, proof, screen, as_json=as_json), screen)
    except AccessFileError as error:
        screen.fail(str(error))
        raise typer.Exit(1) from error


async def _recommend(
    request: recommender_pb2.RecommendRequest, address: str, proof: Proof, screen: Screen, *, as_json: bool
) -> None:
    async with open_channel(address, proof) as channel:
        stub = recommender_pb2_grpc.RecommenderServiceStub(channel)
        answer = await stub.Recommend(request, timeout=PATIENCE.total_seconds())
    if as_json:
        typer.echo(MessageToJson(answer, ensure_ascii=False))
    else:
        print_recommendations(answer, screen)
