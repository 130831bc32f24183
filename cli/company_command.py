"""`afin company`: the catalogue, a company's history, and companies like it."""

from collections.abc import Iterable
from typing import Annotated

import typer

from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.paging import LimitOption, gathered, more
from cli.recommend_command import PlacesOption
from cli.screen import Screen
from cli.words import moment, yes

LIST = "afin company list"
company_app = typer.Typer(help="The catalogue of companies.", no_args_is_help=True)

CodeArgument = Annotated[str, typer.Argument(help="A company's code.", metavar="CODE")]
MatchingOption = Annotated[str, typer.Option("--matching", "-m", help="Only those whose code or name holds this text.")]
RetiredOption = Annotated[bool, typer.Option("--retired", help="Retired ones too.")]


@company_app.command("list")
@calling("warehouse")
async def list_companies(
    afin: Afin, matching: MatchingOption = "", retired: RetiredOption = False, limit: LimitOption = 50
) -> None:
    """Lists the catalogue as it stands, by code."""
    asked = warehouse_pb2.ListCompaniesRequest(include_retired=retired, matching=matching)
    answer = await gathered((await afin.warehouse()).ListCompanies, asked, "companies", limit)
    afin.show(answer, lambda: _print_list(answer, afin.screen))


@company_app.command()
@calling("warehouse", LIST)
async def show(afin: Afin, code: CodeArgument) -> None:
    """Shows a company with its whole history: each version, and from when to when it was true."""
    asked = warehouse_pb2.GetCompanyHistoryRequest(company_code=code)
    answer = await (await afin.warehouse()).GetCompanyHistory(asked, timeout=SHORT)
    afin.show(answer, lambda: _print_history(answer.versions, afin.screen))


@company_app.command()
@calling("recommender", LIST)
async def similar(afin: Afin, code: CodeArgument, places: PlacesOption = 10) -> None:
    """Shows companies that the same kind of clients pay."""
    asked = recommender_pb2.SimilarCompaniesRequest(company_code=code, max_results=places)
    answer = await (await afin.recommender()).SimilarCompanies(asked, timeout=SHORT)
    afin.show(answer, lambda: _print_similar(answer, afin.screen))


def _print_list(answer: warehouse_pb2.ListCompaniesResponse, screen: Screen) -> None:
    heads = ("CODE", "ID", "NAME", "CATEGORY", "TOP", "SINCE", "RETIRED")
    rows = [
        (each.company_code, *_facts(each), moment(each.start_date), yes(each.is_retired)) for each in answer.companies
    ]
    none = "no such company; `afin run companies --watch` loads the catalogue"
    screen.listing(heads, rows, none=none, more=more(answer))


def _print_history(versions: Iterable[warehouse_pb2.CompanyVersion], screen: Screen) -> None:
    heads = ("FROM", "UNTIL", "ID", "NAME", "CATEGORY", "TOP", "RETIRED", "BY RUN")
    screen.table(
        heads,
        [
            (moment(each.start_date), moment(each.end_date), *_facts(each), yes(each.is_retired), each.load_id)
            for each in versions
        ],
    )


def _facts(company: warehouse_pb2.CompanyVersion) -> tuple[str, str, str, str]:
    category = company.category_name or (str(company.category_id) if company.HasField("category_id") else "")
    return str(company.company_id), company.company_name, category, yes(company.is_top_biller)


def _print_similar(answer: recommender_pb2.SimilarCompaniesResponse, screen: Screen) -> None:
    screen.say(f"by index version {answer.index.version}:")
    rows = [
        (each.company_code, each.company_name, each.category_name, f"{each.similarity:.3f}")
        for each in answer.companies
    ]
    screen.table(("CODE", "NAME", "CATEGORY", ">COSINE"), rows)
