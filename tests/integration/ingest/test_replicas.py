"""Two replicas of ingest on one database: one leads, both take calls, and a run is made and worked on once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
import grpc
import psutil
import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from afin.ingest.v1 import ingest_pb2_grpc as rpc
from demo.stack.options import free_ports
from services.ingest.adapters.leadership import TRY_LOCK
from services.ingest.settings import IngestSettings
from services.runtime.objects.local import LocalObjectStore
from tests.crash.processes import Deaths, Replica, alive
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest, eventually
from tests.integration.ingest.source_server import SourceServer

COMPANIES = pb.PIPELINE_COMPANIES
TABLES = ("ingest.runs", "ingest.steps", "warehouse.payments", "warehouse.payment_confirmations", "warehouse.companies",
          "warehouse.loads", "warehouse.watermarks")  # fmt: skip
HOLD_EPOCH = "SELECT epoch FROM ingest.leadership FOR SHARE"
HOLD_RUNS = "SELECT run_id FROM ingest.runs FOR UPDATE"
# One that ends as soon as somebody leads: there is no such step.
A_RUN = """
    INSERT INTO ingest.runs (run_id, pipeline, state, trigger, logical_time, code_version, created_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 'companies', 'queued', 'manual', now(), 'test', now())
"""
END_LEADERSHIP = """
    SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database AS d ON d.oid = database
    WHERE locktype = 'advisory' AND granted AND d.datname = current_database()
"""


@pytest.fixture
async def ingest_with_companies(serve: Serve, settings: IngestSettings) -> IngestSettings:
    """Settings for an ingest whose first catalogue is loaded."""
    async with serve() as ingest:
        await ingest.load_companies()
    return settings


async def test_of_twenty_triggers_at_once_on_two_replicas_one_makes_a_run(
    serve: Serve, source: SourceServer, url: str
) -> None:
    source.open.clear()
    async with serve() as one, serve() as other:
        calls = [(one, other)[number % 2].run(COMPANIES) for number in range(20)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        runs = [answer for answer in answers if isinstance(answer, pb.Run)]
        codes = [error.code() for error in answers if isinstance(error, grpc.aio.AioRpcError)]
        assert (len(runs), codes) == (1, [grpc.StatusCode.FAILED_PRECONDITION] * 19)

        source.open.set()
        ended = await other.end_of(runs[0].run_id)

    assert (ended.state, ended.attempts) == (pb.RUN_STATE_SUCCEEDED, 1)
    assert [row["load_id"] for row in await fetch(url, "SELECT load_id FROM warehouse.loads")] == [ended.run_id]


async def test_twenty_times_the_same_request_at_once_on_two_replicas_is_one_run(serve: Serve, url: str) -> None:
    async with serve() as one, serve() as other:
        runs = await asyncio.gather(*((one, other)[number % 2].run(COMPANIES, "same") for number in range(20)))
        await one.end_of(runs[0].run_id)

    assert len({run.run_id for run in runs}) == 1
    assert len(await fetch(url, "SELECT FROM warehouse.loads")) == 1


@pytest.mark.timeout(120)
@pytest.mark.parametrize("held", [HOLD_EPOCH, HOLD_RUNS, TRY_LOCK.text], ids=["epoch", "runs", "leadership"])
async def test_a_process_frozen_within_a_statement_holds_up_no_other_leader(serve: Serve, url: str, held: str) -> None:
    await fetch(url, A_RUN)
    frozen = await asyncpg.connect(url, server_settings={"application_name": "afin-ingest-work"})
    await frozen.execute(f"BEGIN; {held}")
    # It has told the server of its next statement, and then no more: no timeout for idle sessions counts.
    await frozen.prepare("SELECT 'frozen'")

    async with serve() as ingest:
        ended = await ingest.end_of(str(UUID(int=1)))

    assert ended.state == pb.RUN_STATE_FAILED
    assert frozen.is_closed()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "place", ["step.begun:4", "lake.part_written", "lake.before_manifest", "load.requested", "step.before_complete:4"]
)
async def test_a_leader_frozen_in_the_middle_of_a_run_changes_nothing_when_it_goes_on(
    ingest_with_companies: IngestSettings, object_store: LocalObjectStore, url: str, tmp_path: Path, place: str
) -> None:
    settings = ingest_with_companies
    async with frozen_leader(settings, tmp_path, place) as (leader, other):
        run = await other.run(pb.PIPELINE_RECOMMENDATIONS)
        await eventually(partial(state_of, leader), lambda state: state == psutil.STATUS_STOPPED)

        await fetch(url, END_LEADERSHIP)
        ended = await other.end_of(run.run_id)
        before, objects = await contents(url), stored(object_store)
        leader.process.send_signal(signal.SIGCONT)
        await eventually(partial(events_of, leader), lambda events: "no longer leading" in events)

        after, later = await contents(url), stored(object_store)

    assert (ended.state, ended.attempts, ended.account.new) == (pb.RUN_STATE_SUCCEEDED, 2, 20)
    assert after == before
    assert objects.items() <= later.items()
    assert all("-01" in key for key in later.keys() - objects.keys())


@asynccontextmanager
async def frozen_leader(settings: IngestSettings, folder: Path, place: str) -> AsyncIterator[tuple[Replica, Ingest]]:
    """A leading process that will freeze at a failpoint, and a client of another one that does not lead yet."""
    name, _, passing = place.partition(":")
    ports = free_ports()

    def replica(port: int, failpoint: str) -> Replica:
        log = folder / f"{port}.log"
        return Replica("services.ingest", environment(settings, port), port, log, Deaths(), lambda: failpoint)

    leader, other = replica(ports["ingest"], f"{name}:{passing or 1}:stop"), replica(ports["indexer"], "")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(alive([leader]))
        await eventually(partial(events_of, leader), lambda events: "leading" in events)
        await stack.enter_async_context(alive([other]))
        address = f"127.0.0.1:{other.port}"
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
        yield leader, Ingest(rpc.IngestServiceStub(channel), address)


def environment(settings: IngestSettings, port: int) -> dict[str, str]:
    """The settings of a process, from those of the fixtures."""
    return {
        "INGEST_DATABASE_URL": settings.database_url.get_secret_value(),
        "INGEST_OBJECT_STORE_URL": settings.object_store_url,
        "INGEST_SOURCE_URL": settings.source_url,
        "INGEST_WAREHOUSE_ADDRESS": settings.warehouse_address,
        "INGEST_INDEXER_ADDRESS": settings.indexer_address,
        "INGEST_PORT": str(port),
    }


async def events_of(replica: Replica) -> list[str]:
    """What its log has told so far."""
    return replica.events


async def state_of(replica: Replica) -> str:
    """The process's state as the kernel has it; T: stopped."""
    return psutil.Process(replica.process.pid).status()


async def contents(url: str) -> list[list[asyncpg.Record]]:
    """Every row of runs and warehouse."""
    return [await fetch(url, f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in TABLES]


def stored(store: LocalObjectStore) -> dict[str, bytes]:
    """Every object."""
    return {item.key: store.get(item.key) for item in store.list("")}


async def fetch(url: str, statement: str) -> list[asyncpg.Record]:
    """Rows, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()
