"""Companies: search, and one with its history and those like it."""

import asyncio

from starlette.responses import Response

from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from console.views.timeline import timeline
from console.views.versions import company_versions
from console.visit import Visit

PAGE = 50
SIMILAR = 10


async def companies(visit: Visit) -> Response:
    """Those whose code or name holds what is looked for."""
    sought, retired = visit.asked("q"), visit.asked("retired") == "yes"
    request = warehouse_pb2.ListCompaniesRequest(
        page_size=PAGE, page_token=visit.asked("page"), include_retired=retired, matching=sought
    )
    listing = await visit.caller.ask(visit.caller.services.warehouse.ListCompanies, request)
    return visit.page(
        "companies.html", sought=sought, retired=retired, companies=listing.companies, next=listing.next_page_token
    )


async def company(visit: Visit) -> Response:
    """All its versions, and the companies that are paid by the same kind of clients."""
    code = visit.part("code")
    services = visit.caller.services
    history, similar = await asyncio.gather(
        visit.caller.ask(
            services.warehouse.GetCompanyHistory, warehouse_pb2.GetCompanyHistoryRequest(company_code=code)
        ),
        visit.caller.attempt(
            services.recommender.SimilarCompanies,
            recommender_pb2.SimilarCompaniesRequest(company_code=code, max_results=SIMILAR),
        ),
    )
    versions = company_versions(history.versions)
    return visit.page(
        "company.html",
        code=code,
        versions=list(reversed(history.versions)),
        newest=history.versions[-1],
        history=timeline("History", {code: versions}, visit.parts.clock()),
        similar=similar,
    )


async def payment(visit: Visit) -> Response:
    """All versions of one payment. It names a client, and so its page is nobody's to keep."""
    payment_id, code = visit.part("payment_id"), visit.part("code")
    request = warehouse_pb2.GetPaymentHistoryRequest(payment_id=payment_id, company_code=code)
    found = await visit.caller.ask(visit.caller.services.warehouse.GetPaymentHistory, request)
    return visit.page("payment.html", payment_id=payment_id, code=code, versions=list(reversed(found.versions)))
