"""A client is erased from a whole stack, and neither data nor anything that was said tells of whom it was."""

import json
from pathlib import Path

import grpc
import numpy as np
import pytest

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from services.contracts.client_keys import client_key
from services.runtime.objects.local import LocalObjectStore
from tests.e2e.canary.world import CALL_SECONDS, CANARY, World, canary_world, of_the_canary, places_of
from tests.integration.ingest.source_server import NOW
from tests.integration.ingest.traces import traces

RECOMMEND = recommender_pb2.RecommendRequest(client_id=CANARY, max_results=5)


@pytest.mark.timeout(600)
async def test_an_erased_client_is_nowhere_in_the_stack_and_gets_what_is_popular(tmp_path: Path) -> None:
    async with canary_world(tmp_path / "state") as world:
        await world.run(ingest_pb2.PIPELINE_COMPANIES)
        world.source.payments.append(of_the_canary(700, amount="much", updated_at=NOW.isoformat()))
        await world.recommendations()
        before = await world.recommender.Recommend(RECOMMEND, timeout=CALL_SECONDS, wait_for_ready=True)
        assert _index_objects_that_know(world.objects, CANARY)

        erasure = await _erased(world)
        again = await world.recommendations()

        await world.recommender.ReloadIndex(recommender_pb2.ReloadIndexRequest(), timeout=CALL_SECONDS)
        after = await world.recommender.Recommend(RECOMMEND, timeout=CALL_SECONDS)
        assert (before.client_known, after.client_known, len(after.recommendations)) == (True, False, 5)
        assert (erasure.versions, erasure.rows, erasure.quarantined) == (10, 10, 1)
        assert erasure.index_version
        assert (again.state, again.account.unchanged) == (ingest_pb2.RUN_STATE_SUCCEEDED, again.account.read)
        assert await traces(world.stack.databases.owner, world.objects, CANARY) == []
        said = world.everything_said()
        assert places_of(CANARY, said) == []
        assert _audited(said["ingest.log"]) == [("INVALID_ARGUMENT", None), ("OK", erasure.erasure_id)]
        assert _index_objects_that_know(world.objects, CANARY) == []


def _index_objects_that_know(objects: LocalObjectStore, client_id: str) -> list[str]:
    """Of all versions that are kept: they know clients by a hash."""
    key = np.array(client_key(client_id), dtype=np.uint64).tobytes()
    return [info.key for info in objects.list("index/") if key in objects.get(info.key)]


def _audited(log: bytes) -> list[tuple[str, str | None]]:
    """How each request to erase ended, and the id that it got."""
    lines = [json.loads(line) for line in log.splitlines() if b'"audit"' in line and b"/EraseClient" in line]
    return [(line["code"], line["answer"].get("erasure_id")) for line in lines]


async def _erased(world: World) -> ingest_pb2.Erasure:
    careless = ingest_pb2.EraseClientRequest(external_client_id=CANARY, request_id=f"erase {CANARY}")
    refused = await world.refused(world.ingest.EraseClient(careless, timeout=CALL_SECONDS))
    assert refused is grpc.StatusCode.INVALID_ARGUMENT
    asked = ingest_pb2.EraseClientRequest(external_client_id=CANARY, request_id="letter of today")
    erasure_id = (await world.ingest.EraseClient(asked, timeout=CALL_SECONDS)).erasure.erasure_id
    watched = world.ingest.WatchRun(ingest_pb2.WatchRunRequest(run_id=erasure_id), timeout=CALL_SECONDS)
    states = [answer.run.state async for answer in watched]
    assert states[-1] == ingest_pb2.RUN_STATE_SUCCEEDED
    request = ingest_pb2.GetErasureRequest(erasure_id=erasure_id)
    erasure = (await world.ingest.GetErasure(request, timeout=CALL_SECONDS)).erasure
    world.told.append(erasure.SerializeToString())
    return erasure
