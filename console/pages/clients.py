"""A client: what is known of its payments at any moment, what is recommended and why. Its id comes in forms alone."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from afin.indexer.v1 import indexer_pb2
from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from console.services import Told
from console.views import words
from console.views.timeline import Timeline, timeline
from console.views.versions import payment_versions
from console.visit import Visit
from services.runtime.timestamps import timestamp_of

PAYMENTS = 30
# Payments whose whole history is asked for and drawn; each asking is a line of the audit.
DRAWN = 10
MOST_PAID = 8
PLACES = 10
VERSIONS = 50
# A version is fetched and looked into first.
LOOKING = timedelta(minutes=2)


async def ask(visit: Visit) -> Response:
    """The form."""
    return visit.page("client_search.html")


async def client(visit: Visit) -> Response:
    """One client now; or, for the slider, its payments as they stood at another moment."""
    client_id, as_of = visit.sent("client_id"), _moment(visit.sent("as_of"))
    if not client_id:
        return visit.page("client_search.html", status=400)
    if visit.wants_fragment:
        return HTMLResponse(visit.fragment("_client_payments.html", **await _payments(visit, client_id, as_of)))
    caller, services = visit.caller, visit.caller.services
    include_paid = visit.sent("include_paid") == "yes"
    wanted = recommender_pb2.RecommendRequest(
        client_id=client_id, max_results=PLACES, with_reasons=True, include_paid=include_paid
    )
    listed = indexer_pb2.ListIndexVersionsRequest(page_size=VERSIONS)
    told, recommended, versions = await asyncio.gather(
        _payments(visit, client_id, as_of),
        caller.attempt(services.recommender.Recommend, wanted),
        caller.attempt(services.indexer.ListIndexVersions, listed),
    )
    index_versions = versions.value.index_versions if versions.value else []
    return visit.page(
        "client.html", recommended=recommended, include_paid=include_paid, versions=index_versions, **told
    )


async def compare(visit: Visit) -> Response:
    """What two versions would recommend to it."""
    client_id, names = visit.sent("client_id"), (visit.sent("base"), visit.sent("version"))
    told = await asyncio.gather(*(_from_version(visit, client_id, name) for name in names))
    sides = [(name, one.value, one.problem) for name, one in zip(names, told, strict=True)]
    both = [{each.company_code for each in one.value.recommendations} if one.value else set() for one in told]
    return visit.page("client_compared.html", client_id=client_id, sides=sides, common=len(both[0] & both[1]))


async def _from_version(visit: Visit, client_id: str, version: str) -> Told[indexer_pb2.RecommendFromVersionResponse]:
    request = indexer_pb2.RecommendFromVersionRequest(version=version, client_id=client_id, max_results=PLACES)
    return await visit.caller.attempt(visit.caller.services.indexer.RecommendFromVersion, request, LOOKING)


async def _payments(visit: Visit, client_id: str, as_of: datetime | None) -> dict[str, Any]:
    warehouse = visit.caller.services.warehouse
    request = warehouse_pb2.ListClientPaymentsRequest(
        external_client_id=client_id, as_of=timestamp_of(as_of), page_size=PAYMENTS, page_token=visit.sent("page")
    )
    listing = await visit.caller.attempt(warehouse.ListClientPayments, request)
    payments = listing.value.payments if listing.value else []
    now = visit.parts.clock()
    begins = [begin for begin in (words.moment_of(each.start_date) for each in payments) if begin]
    begun = _moment(visit.sent("first")) or min(begins, default=now)
    return {
        "client_id": client_id,
        "payments": payments,
        "problem": listing.problem,
        "next": listing.value.next_page_token if listing.value else "",
        "most_paid": Counter(each.company_code for each in payments).most_common(MOST_PAID),
        "as_of": as_of or now,
        "is_now": as_of is None,
        "first": int(begun.timestamp()),
        "last": int(now.timestamp()) + 1,
        "history": await _drawn(visit, sorted(payments, key=_unchanged_for)[:DRAWN], now, as_of),
    }


async def _drawn(
    visit: Visit, payments: Sequence[warehouse_pb2.PaymentVersion], now: datetime, as_of: datetime | None
) -> Timeline | None:
    method = visit.caller.services.warehouse.GetPaymentHistory
    requests = [
        warehouse_pb2.GetPaymentHistoryRequest(payment_id=each.payment_id, company_code=each.company_code)
        for each in payments
    ]
    told = await asyncio.gather(*(visit.caller.attempt(method, request) for request in requests))
    histories = {
        f"{each.company_code[:12]} · {each.payment_id[-8:]}": payment_versions(one.value.versions)
        for each, one in zip(payments, told, strict=True)
        if one.value
    }
    return timeline("Versions of these payments", histories, now, as_of)


def _unchanged_for(payment: warehouse_pb2.PaymentVersion) -> float:
    """First those that changed long after they were made: more can be seen of them."""
    changed = words.between(payment.created_at, payment.start_date)
    return -changed.total_seconds() if changed else 0.0


def _moment(text: str) -> datetime | None:
    """Of seconds since 1970, as the slider has them; None for none."""
    if not text:
        return None
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise HTTPException(400, "the moment is none; move the slider") from None
