"""What `afin doctor` asks each service: its port, its life, its health, and a call with our key."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from cli.afin_calls import Afin
from cli.ending import Failed, ending_of
from cli.findings import Finding, Level, bad, good
from services.runtime.access.keys import AccessFileError

SECONDS = 5
Ask = Callable[[Afin], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Known:
    """A service: its full name, what it depends on, and a harmless call that needs them and the role read."""

    name: str
    needs: str
    ask: Ask


async def _ingest(afin: Afin) -> str:
    answer = await (await afin.ingest()).ListRuns(ingest_pb2.ListRunsRequest(page_size=1), timeout=SECONDS)
    return "its database answers" + (" and holds runs" if answer.runs else "")


async def _warehouse(afin: Afin) -> str:
    answer = await (await afin.warehouse()).GetStatistics(warehouse_pb2.GetStatisticsRequest(), timeout=SECONDS)
    return f"its database answers: {answer.current_payments:,} payments, {answer.current_companies:,} companies"


async def _indexer(afin: Afin) -> str:
    asked = indexer_pb2.ListPublicationsRequest(page_size=1)
    found = (await (await afin.indexer()).ListPublications(asked, timeout=SECONDS)).publications
    return f"the object store answers: epoch {found[0].epoch}" if found else "the object store answers: no index yet"


async def _recommender(afin: Afin) -> str:
    info = await (await afin.recommender()).GetIndexInfo(recommender_pb2.GetIndexInfoRequest(), timeout=SECONDS)
    return f"serves {info.index.version}: {info.clients:,} clients, {info.companies:,} companies"


KNOWN = {
    "ingest": Known("afin.ingest.v1.IngestService", "PostgreSQL, and migrations that were run", _ingest),
    "warehouse": Known("afin.warehouse.v1.WarehouseService", "PostgreSQL, migrations, the object store", _warehouse),
    "indexer": Known("afin.indexer.v1.IndexerService", "PostgreSQL, the object store", _indexer),
    "recommender": Known(
        "afin.recommender.v1.RecommenderService", "a published index: `afin run recommendations --watch`", _recommender
    ),
}


async def check_service(afin: Afin, service: str) -> list[Finding]:
    """From the port upwards; what stands on a check that failed is not tried."""
    known, address = KNOWN[service], afin.target.profile.address(service)
    if not address.startswith("dns:") and not await _listens(address):
        todo = f"start it (`afin up` here), open the port, or name its place: --address {service}=HOST:PORT"
        return [bad(f"{service} port", f"nobody listens on {address}", todo)]
    found = [await _life(afin, service, address)]
    if found[-1].level is Level.GOOD:
        found.append(await _health(afin, service, known))
    if found[-1].level is Level.GOOD:
        found.append(await _call(afin, service, known))
    return found


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return False
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _life(afin: Afin, service: str, address: str) -> Finding:
    subject = f"{service} process"
    try:
        status = await _asked(afin, service, "")
    except (Failed, AccessFileError) as error:
        return bad(subject, str(error), "mend what is told of keys and certificates above")
    except grpc.aio.AioRpcError as error:
        todo = "is it gRPC, and TLS on both sides or none? --ca turns it on; its certificate must name the host"
        return bad(subject, f"{address} listens, and speaks otherwise: {error.code().name}", todo)
    return good(subject, f"lives at {address} ({status})")


async def _health(afin: Afin, service: str, known: Known) -> Finding:
    subject = f"{service} health"
    try:
        status = await _asked(afin, service, known.name)
    except grpc.aio.AioRpcError as error:
        return bad(subject, error.code().name, "is another service at this address?")
    if status == "SERVING":
        return good(subject, "can do its work")
    return bad(subject, status, f"it needs {known.needs}; its log names what it waits for")


async def _call(afin: Afin, service: str, known: Known) -> Finding:
    subject = f"{service} call"
    try:
        return good(subject, await known.ask(afin))
    except grpc.aio.AioRpcError as error:
        ending = ending_of(error, service, afin.target.profile.address(service))
        return bad(subject, error.code().name, str(ending))


async def _asked(afin: Afin, service: str, name: str) -> str:
    stub: Any = health_pb2_grpc.HealthStub(await afin.channel(service))
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=SECONDS)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
