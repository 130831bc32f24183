"""A server that leaves says so by its health first, and takes calls until those who watch it have gone elsewhere."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.runtime.channels import channel_options
from tests.integration.runtime.house import ANSWER, UNARY, House, Visitor, settings_of

PATIENCE = 20
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(params=["aio", "threads"])
def kind(request: pytest.FixtureRequest) -> str:
    """Of server."""
    return str(request.param)


async def test_calls_are_taken_while_watchers_of_health_leave_and_watches_end_well(kind: str) -> None:
    async with AsyncExitStack() as serving:
        port = await serving.enter_async_context(House(kind).serve(settings_of(notice_seconds=2)))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            watch = stub.Watch(health_pb2.HealthCheckRequest(service=UNARY), timeout=PATIENCE)
            while (await watch.read()).status != SERVING:
                pass
            leaving = asyncio.create_task(serving.aclose())

            assert (await watch.read()).status == NOT_SERVING
            assert await Visitor(port, channel).call() == ANSWER
            assert await watch.read() is grpc.aio.EOF
            await leaving


async def test_a_client_of_several_replicas_asks_one_that_leaves_no_more(kind: str) -> None:
    houses = [House(kind), House(kind)]
    asked = [0, 0]
    for place, house in enumerate(houses):
        house.work = _counting(asked, place)
    async with AsyncExitStack() as first, houses[1].serve(settings_of()) as other_port:
        port = await first.enter_async_context(houses[0].serve(settings_of(notice_seconds=2)))
        address = f"ipv4:127.0.0.1:{port},127.0.0.1:{other_port}"
        async with grpc.aio.insecure_channel(address, options=channel_options(address, UNARY)) as channel:
            visitor = Visitor(0, channel)
            async with asyncio.timeout(PATIENCE):
                while not all(asked):
                    await visitor.call()

            leaving = asyncio.create_task(first.aclose())
            async with asyncio.timeout(PATIENCE):
                while await _asked_of_first(visitor, asked):
                    pass

            assert not leaving.done()
            await leaving


def _counting(asked: list[int], place: int) -> Any:
    async def count() -> None:
        asked[place] += 1

    return count


async def _asked_of_first(visitor: Visitor, asked: list[int]) -> int:
    """How many of ten calls in a row went to the first."""
    before = asked[0]
    for _ in range(10):
        await visitor.call()
    return asked[0] - before
