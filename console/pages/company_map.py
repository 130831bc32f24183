"""Companies on a plane, near each other where the same kind of clients pays them, and how popular they are."""

from datetime import timedelta

from starlette.responses import Response

from afin.indexer.v1 import indexer_pb2
from console.views import words
from console.views.charts import curve_plot
from console.views.scatter import scatter
from console.visit import Visit

COMPANIES = 800
LISTED = 25
# The first time a version is fetched and looked into.
LOOKING = timedelta(minutes=2)


async def company_map(visit: Visit) -> Response:
    """Of the version in service, or of another."""
    request = indexer_pb2.GetCompanyMapRequest(version=visit.asked("version"), max_companies=COMPANIES)
    told = await visit.caller.ask(visit.caller.services.indexer.GetCompanyMap, request, LOOKING)
    points = [(0.0, float(told.popularity[0].clients))] if told.popularity else []
    points += [(float(each.rank), float(each.clients)) for each in told.popularity]
    return visit.page(
        "map.html",
        told=told,
        scatter=scatter(told.companies, visit.asked("company")),
        listed=told.companies[:LISTED],
        curve=curve_plot("Clients of each company, most paid first", points, words.number, words.number),
    )
