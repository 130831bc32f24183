"""What only an admin may ask for, nobody else may cancel or repeat; and nobody holds more streams than their share."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.workflow.watching import MOST_OF_ONE
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import CALL_SECONDS, Ingest, refusal
from tests.integration.ingest.source_server import SourceServer
from tests.integration.runtime.access.doors import keys_in

FEWER = pb.RunPipelineRequest(pipeline=pb.PIPELINE_COMPANIES, accept_fewer_companies=True)
ORDINARY = pb.RunPipelineRequest(pipeline=pb.PIPELINE_COMPANIES)


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """One of each role."""
    return keys_in(tmp_path / "keys")


@pytest.fixture
async def guarded(serve: Serve, keys: dict[str, str], source: SourceServer, tmp_path: Path) -> AsyncIterator[Ingest]:
    """An ingest that asks for keys, whose runs wait for the source."""
    source.open.clear()
    async with serve(api_keys_file=tmp_path / "keys") as opened:
        yield opened
        source.open.set()


async def call(method: Any, request: object, key: str) -> Any:
    return await method(request, timeout=CALL_SECONDS, metadata=(("authorization", f"Bearer {key}"),))


async def test_an_operator_ends_and_repeats_ordinary_runs_and_no_run_of_an_admin(
    guarded: Ingest, keys: dict[str, str]
) -> None:
    operator, admin, stub = keys["operate"], keys["admin"], guarded.stub
    ordinary = (await call(stub.RunPipeline, ORDINARY, operator)).run.run_id
    erasing = pb.EraseClientRequest(external_client_id="client-3")
    erasure = (await call(stub.EraseClient, erasing, admin)).erasure.erasure_id

    for method, request in ((stub.CancelRun, pb.CancelRunRequest), (stub.RetryRun, pb.RetryRunRequest)):
        refused = await refusal(call(method, request(run_id=erasure), operator))
        assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW")
    cancelled = (await call(stub.CancelRun, pb.CancelRunRequest(run_id=erasure), admin)).run
    assert cancelled.state == pb.RUN_STATE_CANCELLED
    assert (await call(stub.CancelRun, pb.CancelRunRequest(run_id=ordinary), operator)).run.run_id == ordinary


async def test_an_operator_does_not_repeat_an_override_of_the_catalogues_check(
    guarded: Ingest, keys: dict[str, str]
) -> None:
    run_id = (await call(guarded.stub.RunPipeline, FEWER, keys["admin"])).run.run_id

    refused = await refusal(call(guarded.stub.RetryRun, pb.RetryRunRequest(run_id=run_id), keys["operate"]))

    assert refused.code is grpc.StatusCode.PERMISSION_DENIED


async def test_a_key_that_watches_as_much_as_it_may_is_refused_and_others_are_not(
    guarded: Ingest, keys: dict[str, str]
) -> None:
    run_id = (await call(guarded.stub.RunPipeline, ORDINARY, keys["operate"])).run.run_id
    request = pb.WatchRunRequest(run_id=run_id)

    def watch(role: str) -> Any:
        metadata = (("authorization", f"Bearer {keys[role]}"),)
        return guarded.stub.WatchRun(request, timeout=CALL_SECONDS, metadata=metadata)

    greedy = [watch("read") for _ in range(MOST_OF_ONE)]
    await asyncio.gather(*(each.read() for each in greedy))

    refused = await refusal(watch("read").read())
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await watch("operate").read()).run.run_id == run_id
