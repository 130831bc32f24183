"""`afin recommend`: asks a running recommender, for a person to read or for a program."""

from typing import Annotated

import typer

from afin.recommender.v1 import recommender_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.client_argument import client_of
from cli.recommendations import print_recommendations

ClientArgument = Annotated[
    str,
    typer.Argument(
        metavar="[CLIENT]",
        help="Whom to recommend for; - reads it from stdin, so that no list of processes shows it.",
        callback=client_of,
    ),
]
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


@calling("recommender", "afin company list")
async def recommend(  # noqa: PLR0913, PLR0917 - typer makes an option of each argument
    afin: Afin,
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
    answer = await (await afin.recommender()).Recommend(request, timeout=SHORT)
    afin.show(answer, lambda: print_recommendations(answer, afin.screen))
