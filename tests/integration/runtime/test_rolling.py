"""Replicas that stop and start under load, and a client with the standard retry policy."""

import asyncio
from contextlib import AsyncExitStack, suppress

import grpc
import pytest

from services.runtime.channels import channel_options
from tests.integration.runtime.house import ANSWER, UNARY, House, Visitor, settings_of

CALLERS = 8
ROUNDS = 3


@pytest.mark.parametrize("service", [UNARY, ""])
@pytest.mark.parametrize("kind", ["aio", "threads"])
async def test_no_call_fails_while_replicas_are_replaced_one_by_one(kind: str, service: str) -> None:
    """Whether the client watches the health of the service or not."""
    replicas, ports = [AsyncExitStack(), AsyncExitStack()], [0, 0]
    for place, replica in enumerate(replicas):
        ports[place] = await replica.enter_async_context(House(kind).serve(settings_of()))
    answers, stop = [0], asyncio.Event()

    async def keep_calling(visitor: Visitor) -> None:
        while not stop.is_set():
            assert await visitor.call() == ANSWER
            answers[0] += 1

    address = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    async with grpc.aio.insecure_channel(address, options=channel_options(address, service)) as channel:
        callers = [asyncio.create_task(keep_calling(Visitor(0, channel))) for _ in range(CALLERS)]
        try:
            for place in [0, 1] * ROUNDS:
                await more(answers, callers)
                await replicas[place].aclose()
                await more(answers, callers)
                replicas[place] = AsyncExitStack()
                await replicas[place].enter_async_context(House(kind).serve(settings_of(ports[place])))
        finally:
            stop.set()
            await asyncio.gather(*callers)
            for replica in replicas:
                with suppress(Exception):
                    await replica.aclose()


async def more(answers: list[int], callers: list[asyncio.Task[None]]) -> None:
    """Returns when the callers have got 100 answers more; at once when one has failed, which is told later."""
    wanted = answers[0] + 100
    async with asyncio.timeout(60):
        while answers[0] < wanted and not any(caller.done() for caller in callers):
            await asyncio.wait(callers, timeout=0.01)
