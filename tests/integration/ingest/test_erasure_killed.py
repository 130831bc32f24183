"""SIGKILL wherever it hurts during an erasure: whoever leads next brings it to its end, with nothing left or lost."""

import asyncio

import grpc
import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from afin.ingest.v1 import ingest_pb2_grpc as rpc
from services.ingest.settings import IngestSettings
from services.runtime.failpoints import Failpoint
from services.runtime.objects.local import LocalObjectStore
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest
from tests.integration.ingest.source_server import SourceServer, payment
from tests.integration.ingest.test_erasure import CLIENT, record, request
from tests.integration.ingest.test_process import running
from tests.integration.ingest.traces import lake_rows, rows_of_others, traces
from tests.integration.ingest.warehouse_server import warehouse_server
from tests.integration.warehouse.test_process import logged
from tests.integration.warehouse.test_process import process as warehouse_process

# With which passing of it: the lake holds two runs with three parts; the second step is erase_from_lake.
PLACES = [
    f"{Failpoint.BEFORE_STEP_COMPLETE}:2",
    f"{Failpoint.PART_WRITTEN}:1",
    f"{Failpoint.PART_WRITTEN}:3",
    f"{Failpoint.BEFORE_MANIFEST}:2",
    f"{Failpoint.AFTER_MANIFEST}:1",
    f"{Failpoint.MANIFEST_REPLACED}:1",
    f"{Failpoint.MANIFEST_REPLACED}:2",
    f"{Failpoint.MANIFEST_REPLACED}:3",
    f"{Failpoint.RECEIPT_RENEWED}:1",
    f"{Failpoint.OBJECT_DELETED}:1",
    f"{Failpoint.OBJECT_DELETED}:3",
    f"{Failpoint.BEFORE_STEP_COMPLETE}:3",
]


@pytest.fixture
async def loaded(serve: Serve, source: SourceServer) -> None:
    """A lake of two runs, with refused rows."""
    async with serve() as ingest:
        await ingest.load_companies()
        await ingest.recommendations()
        source.payments += [payment(30, external_client_id=[CLIENT]), payment(32, amount="much")]
        await ingest.recommendations()


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("place", PLACES)
async def test_an_erasure_that_is_killed_anywhere_is_brought_to_its_end(
    serve: Serve, settings: IngestSettings, object_store: LocalObjectStore, place: str
) -> None:
    url = settings.database_url.get_secret_value()
    table, raw, refused = await _others(url, object_store)

    erasure_id = await _erase_and_be_killed(settings, place)
    async with serve() as ingest:
        ended = await ingest.end_of(erasure_id)
        told = await record(ingest, erasure_id)
        again = await _pass(ingest)

    assert (ended.state, ended.attempts) == (pb.RUN_STATE_SUCCEEDED, 2), ended
    assert told.versions == 3
    assert await traces(url, object_store, CLIENT) == []
    after = await _others(url, object_store)
    assert after[0] == table
    assert set(after[1]) == set(raw)
    assert set(after[2]) == set(refused)
    assert (again.account.unchanged, again.account.quarantined) == (17, 1)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("place", [Failpoint.BEFORE_COMMIT, Failpoint.AFTER_COMMIT])
async def test_a_warehouse_that_is_killed_around_its_commit_is_asked_again(
    serve: Serve, url: str, object_store: LocalObjectStore, place: str
) -> None:
    before = await rows_of_others(url, CLIENT)

    with warehouse_process(url, object_store, place) as dying:
        port = int(str(logged(dying, "gRPC listening")["port"]))
        async with serve(warehouse_address=f"127.0.0.1:{port}") as ingest:
            erasure = await request(ingest)
            assert await asyncio.to_thread(dying.wait, 30) < 0
            async with warehouse_server(url, object_store, port):
                ended = await ingest.end_of(erasure.erasure_id)
                told = await record(ingest, erasure.erasure_id)

    assert (ended.state, told.versions) == (pb.RUN_STATE_SUCCEEDED, 3), ended
    assert await traces(url, object_store, CLIENT) == []
    assert await rows_of_others(url, CLIENT) == before


async def _others(url: str, store: LocalObjectStore) -> tuple[list[object], list[str], list[str]]:
    rows = (lake_rows(store, area) for area in ("raw", "quarantine"))
    raw, refused = ([row for row in area if CLIENT not in row] for area in rows)
    return [tuple(row.values()) for row in await rows_of_others(url, CLIENT)], raw, refused


async def _pass(ingest: Ingest) -> pb.Run:
    run = await ingest.recommendations()
    assert run.state == pb.RUN_STATE_SUCCEEDED, run
    return run


async def _erase_and_be_killed(settings: IngestSettings, place: str) -> str:
    """Asks a process for the erasure that dies at the place; the erasure's id."""
    names = ("object_store_url", "source_url", "warehouse_address", "indexer_address")
    given = {name.upper(): str(getattr(settings, name)) for name in names}
    database = settings.database_url.get_secret_value()
    with running(place, DATABASE_URL=database, RECOMMENDATIONS_SCHEDULE="0 0 29 2 *", **given) as dying:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{dying.port}") as channel:
            asked = pb.EraseClientRequest(external_client_id=CLIENT)
            stub: rpc.IngestServiceAsyncStub = rpc.IngestServiceStub(channel)
            erasure = (await stub.EraseClient(asked, timeout=30, wait_for_ready=True)).erasure
            code = await asyncio.to_thread(dying.process.wait, 30)
        assert code < 0, "the place was passed"
        assert dying.process.stdout is not None
        logged = "".join([*dying.logged, *dying.process.stdout])
    assert CLIENT not in logged
    return erasure.erasure_id
