"""The indexer as a process of its own."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from afin.indexer.v1 import indexer_pb2 as pb
from afin.indexer.v1 import indexer_pb2_grpc as rpc
from services.indexer.servicer import FULL_NAME
from tests.integration.indexer.conftest import World

PATIENCE_SECONDS = 30


@asynccontextmanager
async def process(**settings: str) -> AsyncIterator[Process]:
    """`python -m services.indexer` with these settings; killed at the end if it still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INDEXER_")}
    environment |= {f"INDEXER_{name.upper()}": value for name, value in settings.items()}
    command = (sys.executable, "-m", "services.indexer")
    started = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environment)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def port_of(started: Process) -> int:
    """The port that the process logs."""
    assert started.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for line in started.stdout:
            entry = json.loads(line)
            if entry["event"] == "gRPC listening":
                return int(entry["port"])
    raise AssertionError("the process ended before it listened")


async def serves(channel: grpc.aio.Channel) -> None:
    """Waits until health says SERVING."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        health: Any = health_pb2_grpc.HealthStub(channel)  # its types leave Watch out
        async for answer in health.Watch(health_pb2.HealthCheckRequest(service=FULL_NAME)):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return


async def test_the_process_serves_and_ends_with_0_on_sigterm(world: World) -> None:
    async with process(database_url=world.database_url, object_store_url=world.objects.as_uri()) as started:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await port_of(started)}") as channel:
            await serves(channel)
            versions = await rpc.IndexerServiceStub(channel).ListIndexVersions(
                pb.ListIndexVersionsRequest(), timeout=PATIENCE_SECONDS
            )
        started.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(started.communicate(), PATIENCE_SECONDS)

    assert [version.version for version in versions.index_versions] == [world.second, world.first]
    assert (started.returncode, errors) == (0, b"")


async def test_sigterm_during_a_build_ends_it_and_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    stores = {"database_url": world.database_url, "object_store_url": world.objects.as_uri()}
    async with (
        process(**stores, work_folder=str(work), drain_seconds="0") as started,
        grpc.aio.insecure_channel(f"127.0.0.1:{await port_of(started)}") as channel,
    ):
        call = rpc.IndexerServiceStub(channel).BuildIndex(pb.BuildIndexRequest(build_id="late"), timeout=60)
        assert (await anext(aiter(call))).stage == "read_training_payments"
        children = psutil.Process(started.pid).children()
        started.send_signal(signal.SIGTERM)
        await asyncio.wait_for(started.communicate(), PATIENCE_SECONDS)

    assert started.returncode == 0
    assert not any(child.is_running() for child in children)
    assert list(work.iterdir()) == []


async def test_wrong_settings_are_told_in_one_line_before_a_port_opens() -> None:
    async with process(object_store_url="nowhere", min_clients="0") as started:
        output, errors = await asyncio.wait_for(started.communicate(), PATIENCE_SECONDS)

    assert (started.returncode, output) == (2, b"")
    (line,) = errors.decode().splitlines()
    for name in ("INDEXER_DATABASE_URL", "INDEXER_OBJECT_STORE_URL", "INDEXER_MIN_CLIENTS"):
        assert name in line
