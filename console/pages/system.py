"""Health of the services, and how much they hold."""

import asyncio

from starlette.responses import Response

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from console.services import FULL_NAMES
from console.visit import Visit


async def system(visit: Visit) -> Response:
    """What is away is told as that."""
    caller, services = visit.caller, visit.caller.services
    statistics, info, erasures, health = await asyncio.gather(
        caller.attempt(services.warehouse.GetStatistics, warehouse_pb2.GetStatisticsRequest()),
        caller.attempt(services.recommender.GetIndexInfo, recommender_pb2.GetIndexInfoRequest()),
        caller.attempt(services.ingest.ListErasures, ingest_pb2.ListErasuresRequest(page_size=10)),
        caller.health(),
    )
    return visit.page(
        "system.html",
        health=health,
        full_names=FULL_NAMES,
        addresses=services.addresses,
        statistics=statistics,
        info=info,
        erasures=erasures,
    )
