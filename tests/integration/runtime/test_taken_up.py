"""Calls that have reached a thread server when it stops, and that it has not looked at yet."""

import asyncio
import threading
from contextlib import AsyncExitStack
from typing import Any

import grpc

from services.runtime.lanes import quick
from services.runtime.server import GrpcService, thread_server
from tests.integration.runtime.house import settings_of

PATIENCE = 20
WAITING = 30


class Blocked:
    """Its first call keeps the polling thread until `go`."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()

    @quick
    def answer(self, request: object, context: object) -> bytes:
        """Any request."""
        self.entered.set()
        assert self.go.wait(PATIENCE)
        return b"answer"

    def service(self) -> GrpcService:
        """As a server takes it."""
        handlers: dict[str, Any] = {"Ask": grpc.unary_unary_rpc_method_handler(self.answer)}

        def register(server: Any) -> None:
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Blocked", handlers),))
            server.add_registered_method_handlers("test.Blocked", handlers)

        async def ready() -> None:
            return

        return GrpcService("test.Blocked", register, ready)


async def test_what_waits_at_the_server_when_it_stops_is_answered() -> None:
    blocked = Blocked()
    server = AsyncExitStack()
    port = await server.enter_async_context(thread_server([blocked.service()], settings_of()))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_retries", 0)]) as channel:
        ask: Any = channel.unary_unary("/test.Blocked/Ask")
        calls = [asyncio.ensure_future(ask(b"", timeout=PATIENCE))]
        await asyncio.to_thread(blocked.entered.wait, PATIENCE)
        calls += [asyncio.ensure_future(ask(b"", timeout=PATIENCE)) for _ in range(WAITING)]
        await asyncio.wait(calls, timeout=0.5)  # they are on their way, and none can be answered

        stopping = asyncio.create_task(server.aclose())
        await asyncio.wait([stopping], timeout=0.5)  # it has begun, and cannot end
        blocked.go.set()

        assert await asyncio.gather(*calls) == [b"answer"] * (WAITING + 1)
        await stopping
