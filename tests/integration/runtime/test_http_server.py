"""The HTTP server hangs up on who does not finish a request, and on nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.runtime.http_server import Limits, listen, serve

PATIENCE = timedelta(milliseconds=300)


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


@dataclass(frozen=True)
class Impatient:
    """A server; /slow answers once `go` is set."""

    port: int
    go: asyncio.Event


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Impatient]:
    """With little patience."""
    listener, stop, go = listen("127.0.0.1", 0, "TEST_"), asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> PlainTextResponse:
        await go.wait()
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/", _echo, methods=["POST"]), Route("/slow", slow)])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(app, listener, stop, limits=Limits(patience=PATIENCE)))
        yield Impatient(listener.getsockname()[1], go)
        stop.set()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /slow HTTP/1.1\r\nHost: local",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na",
    ],
    ids=["nothing", "half a head", "half a body"],
)
async def test_a_request_that_does_not_come_whole_is_hung_up_on(server: Impatient, begun: bytes) -> None:
    await _until_hung_up(server.port, begun)


async def test_an_answer_may_take_longer_than_a_request(server: Impatient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    await _until_hung_up(server.port, b"")
    server.go.set()

    assert (await reader.read()).endswith(b"done")
    writer.close()


async def _until_hung_up(port: int, begun: bytes) -> None:
    """TimeoutError where the server goes on waiting for what never comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    async with asyncio.timeout(30):
        with suppress(ConnectionResetError):
            await reader.read()
    writer.close()
