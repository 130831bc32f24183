"""A stack that reads from a source which the test holds in its hand, and all that it says to callers, kept."""

import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import asyncpg
import grpc

from afin.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from afin.recommender.v1 import recommender_pb2_grpc
from afin.warehouse.v1 import warehouse_pb2_grpc
from demo.stack.options import HOST, StackOptions, free_ports
from demo.stack.stack import Stack, open_databases, open_services
from services.runtime.channels import open_channel
from services.runtime.objects.local import LocalObjectStore
from tests.collector import Collector, collecting
from tests.integration.ingest.source_server import NOW, SourceServer, company, payment, source_server

CANARY = "canary-5b1f0c"
CALL_SECONDS = 120
SERVICES = ("INGEST", "WAREHOUSE", "INDEXER", "RECOMMENDER")
# Impatient, and content with any index: what is tested is what is said.
SETTINGS = {
    "INGEST_PATIENCE": "PT5S",
    "INGEST_REQUEST_ATTEMPTS": "1",
    "INGEST_MAX_PAGE_BYTES": "1000000",
    "INDEXER_MIN_GAIN": "-1",
    "INDEXER_QUALITY_TOLERANCE": "1",
    "INDEXER_MAX_LOSS": "1",
    "INDEXER_MIN_OVERLAP": "0",
    **{f"{service}_LOG_LEVEL": "DEBUG" for service in SERVICES},
}


@dataclass
class World:
    """The stack, its source, and the errors and ends of runs that callers were told of."""

    stack: Stack
    source: SourceServer
    ingest: "ingest_pb2_grpc.IngestServiceAsyncStub"
    warehouse: "warehouse_pb2_grpc.WarehouseServiceAsyncStub"
    recommender: "recommender_pb2_grpc.RecommenderServiceAsyncStub"
    collector: Collector
    told: list[bytes] = field(default_factory=list)

    async def run(self, pipeline: "ingest_pb2.Pipeline.ValueType") -> ingest_pb2.Run:
        """A run at its end, whatever that is."""
        started = await self.ingest.RunPipeline(ingest_pb2.RunPipelineRequest(pipeline=pipeline), timeout=CALL_SECONDS)
        run = started.run
        watched = self.ingest.WatchRun(ingest_pb2.WatchRunRequest(run_id=run.run_id), timeout=CALL_SECONDS)
        async for answer in watched:
            run = answer.run
        self.told.append(run.SerializeToString())
        return run

    async def recommendations(self) -> ingest_pb2.Run:
        """A run of the pipeline that the payments go through."""
        return await self.run(ingest_pb2.PIPELINE_RECOMMENDATIONS)

    async def refused(self, call: Awaitable[Any]) -> grpc.StatusCode:
        """The code of a call that must fail; its message and all its trailers are kept."""
        try:
            await call
        except grpc.aio.AioRpcError as error:
            trailers = [value if isinstance(value, bytes) else value.encode() for _, value in error.trailing_metadata()]
            self.told += [(error.details() or "").encode(), (error.debug_error_string() or "").encode(), *trailers]
            return error.code()
        raise AssertionError("the call was answered")

    async def as_owner(self, *statements: str) -> None:
        """Changes the database as its owner."""
        connection = await asyncpg.connect(self.stack.databases.owner)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    @property
    def objects(self) -> LocalObjectStore:
        """The object store of the stack."""
        return LocalObjectStore(self.stack.options.state / "objects")

    def everything_said(self) -> dict[str, bytes]:
        """Logs of services and of PostgreSQL, metrics, traces, object keys, and what callers were told, by where."""
        state = self.stack.options.state
        logs = [*(state / "logs").glob("*.log"), state / "postgres" / "data" / "log"]
        said = {path.name: path.read_bytes() for path in logs}
        # The console is not in every stack.
        also = ["console"] if "console.log" in said else []
        for name in (f"{service.lower()}-metrics" for service in [*SERVICES, *also]):
            port = self.stack.options.ports[name]
            with urlopen(f"http://{HOST}:{port}/metrics", timeout=CALL_SECONDS) as answer:
                said[name] = answer.read()
        said["object keys"] = "\n".join(each.key for each in self.objects.list("")).encode()
        return said | {"callers": b"\n".join(self.told), "spans": b"\n".join(self.collector.raw)}


@asynccontextmanager
async def canary_world(state: Path) -> AsyncIterator[World]:
    """The stack at work, with a catalogue and payments in the source, the canary's among them."""
    async with source_server() as source:
        source.companies = [company(number) for number in range(20)]
        source.payments = [ordinary(number) for number in range(600)] + [of_the_canary(n) for n in range(600, 610)]
        with collecting() as collector:
            async with _stack(state, source.url, collector.url) as stack, AsyncExitStack() as channels:

                async def channel(service: str) -> grpc.aio.Channel:
                    return await channels.enter_async_context(open_channel(stack.address(service)))

                yield World(
                    stack,
                    source,
                    ingest_pb2_grpc.IngestServiceStub(await channel("ingest")),
                    warehouse_pb2_grpc.WarehouseServiceStub(await channel("warehouse")),
                    recommender_pb2_grpc.RecommenderServiceStub(await channel("recommender")),
                    collector,
                )


@asynccontextmanager
async def _stack(state: Path, source_url: str, collector_url: str) -> AsyncIterator[Stack]:
    first_day = (NOW - timedelta(days=60)).date()
    settings = SETTINGS | {f"{service}_TRACES_URL": collector_url for service in SERVICES}
    options = StackOptions(
        state=state, ports=free_ports(), source_url=source_url, first_day=first_day, settings=settings
    )
    async with open_databases(options, print) as databases, open_services(options, databases, print) as stack:
        yield stack


def ordinary(number: int) -> dict[str, Any]:
    """One of sixty clients pays one of the companies of its kind, within forty days."""
    client = number % 60
    moment = (NOW - timedelta(days=40 * ((number * 7919) % 600) / 600)).isoformat()
    code = f"c{(client % 4) * 5 + (number // 60 + client) % 5}"
    changes = {"company_code": code, "external_client_id": f"client-{client}", "payment_at": moment}
    return payment(number, **changes, created_at=moment, updated_at=moment)


def of_the_canary(number: int, **changes: Any) -> dict[str, Any]:
    """The same, by the client whose id must be found nowhere."""
    return ordinary(number) | {"external_client_id": CANARY} | changes


def places_of(text: str, said: dict[str, bytes]) -> list[str]:
    """Where a text stands, with what stands around it."""
    matches = [(place, content, match) for place, content in said.items() for match in _matches(text, content)]
    return [f"{place}: …{content[max(0, at.start() - 150) : at.end() + 50]!r}…" for place, content, at in matches]


def _matches(text: str, content: bytes) -> Iterator[re.Match[bytes]]:
    return re.finditer(re.escape(text.encode()), content, re.IGNORECASE)
