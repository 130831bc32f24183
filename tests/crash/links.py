"""TCP connections that can be cut at any moment, or lose what the server answers after it took the request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 64 * 1024
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


@dataclass
class Link:
    """A proxy on `port` to wherever `connect` leads."""

    connect: Connect
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _answers_pass: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Breaks every connection, both ways, at once."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def lose_answers(self, seconds: float) -> None:
        """Requests go through and are worked on; no answer comes back until the connections break."""
        self._answers_pass.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.cut()
            self._answers_pass.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side or a fault ends it."""
        try:
            server_reader, server_writer = await self.connect()
        except OSError:
            writer.transport.abort()
            return
        both = {writer, server_writer}
        self._writers |= both
        try:
            # Cancelled with everything else at the end of a season, it just ends.
            with suppress(asyncio.CancelledError):
                await _first_of(self._forward(reader, server_writer), self._forward_answers(server_reader, writer))
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()

    async def _forward_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            await self._answers_pass.wait()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def open_link(connect: Connect) -> AsyncIterator[Link]:
    """Serves on a free port until the context is left."""
    link = Link(connect)
    link._answers_pass.set()
    server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        link.cut()


async def _first_of(*works: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    with suppress(OSError):
        await asyncio.gather(*tasks, return_exceptions=True)
