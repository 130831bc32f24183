"""The health probe that containers are asked with, against the real server of our services."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.runtime.errors import Unavailable
from services.runtime.probe import main
from services.runtime.server import GrpcService, grpc_server
from services.runtime.settings import ServiceSettings

NAME = "afin.warehouse.v1.WarehouseService"
Probe = Callable[..., Awaitable[int]]


@pytest.fixture
async def probe() -> AsyncIterator[Probe]:
    """Asks a server that lives, but cannot do its work."""
    asked = asyncio.Event()

    async def cannot_work() -> None:
        asked.set()
        raise Unavailable("the database does not answer")

    service = GrpcService(NAME, lambda server: None, cannot_work)
    async with grpc_server([service], ServiceSettings(drain_seconds=0)) as port:
        async with asyncio.timeout(5):
            await asked.wait()
        yield lambda *names: asyncio.to_thread(main, [f"127.0.0.1:{port}", *names])


async def test_a_living_process_exits_with_0(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    code = await probe()

    assert (code, capsys.readouterr().out) == (0, "SERVING\n")


async def test_a_service_that_cannot_work_exits_with_1(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    code = await probe(NAME)

    assert (code, capsys.readouterr().out) == (1, "NOT_SERVING\n")


async def test_a_name_that_the_server_does_not_know_exits_with_1(
    probe: Probe, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await probe("afin.indexer.v1.IndexerService")

    assert (code, capsys.readouterr().out) == (1, "NOT_FOUND\n")


async def test_a_port_on_which_nobody_listens_exits_with_1(
    unused_tcp_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await asyncio.to_thread(main, [f"127.0.0.1:{unused_tcp_port}"])

    assert (code, capsys.readouterr().out) == (1, "UNAVAILABLE\n")
