"""A source API over HTTP that can be told to misbehave."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from services.runtime.clock import utc_now

# The source's own clock, in its header `Date`: noon of yesterday, for the warehouse refuses the future.
NOW = (utc_now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
Misdeed = Callable[[web.Request], Awaitable[web.StreamResponse]]


def payment(number: int, **changes: Any) -> dict[str, Any]:
    """A good payment, a day old at most; equal numbers give equal payments."""
    updated_at = NOW - timedelta(days=1) + timedelta(seconds=number)
    good = {
        "id": f"p{number:05}",
        "payment_at": updated_at.isoformat(),
        "company_code": f"c{number % 5}",
        "status": "paid",
        "amount": 10 + number,
        "external_client_id": f"client-{number % 7}",
        "created_at": updated_at.isoformat(),
        "updated_at": updated_at.isoformat(),
    }
    return good | changes


def company(number: int, **changes: Any) -> dict[str, Any]:
    """A good company."""
    return {"id": number, "company_code": f"c{number}", "company_name": f"Company {number}"} | changes


@dataclass
class SourceServer:
    """What the source holds, and what it does instead of answering: `misdeeds`, one a request, then it behaves.

    `beyond`: from this offset on, that is all it does.
    """

    url: str = ""
    payments: list[dict[str, Any]] = field(default_factory=list)
    companies: list[dict[str, Any]] = field(default_factory=list)
    misdeeds: list[Misdeed] = field(default_factory=list)
    beyond: tuple[int, Misdeed] | None = None
    requests: list[dict[str, str]] = field(default_factory=list)
    now: datetime = NOW
    max_limit: int = 1000
    # Set: answers are given. Cleared: requests wait.
    open: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    async def waiting(self, count: int) -> None:
        """Returns when so many requests are there at once."""
        async with asyncio.timeout(10):
            while self.at_once < count:
                self.arrived.clear()
                await self.arrived.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        self.requests.append({"path": request.path, **request.query})
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.arrived.set()
        try:
            await self.open.wait()
            return await self._answer(request)
        finally:
            self.at_once -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.misdeeds:
            return await self.misdeeds.pop(0)(request)
        rows = self.companies if request.path == "/companies" else self._updated_after(request.query["updated_at"])
        offset = int(request.query["offset"])
        if self.beyond is not None and offset >= self.beyond[0]:
            return await self.beyond[1](request)
        limit = min(int(request.query["limit"]), self.max_limit)
        page = sorted(rows, key=lambda row: str(row.get("id", "")))[offset : offset + limit]
        return web.json_response(page, headers=self.date())

    def date(self) -> dict[str, str]:
        """The header with the source's clock."""
        return {"Date": format_datetime(self.now, usegmt=True)}

    def _updated_after(self, day: str) -> list[dict[str, Any]]:
        return [row for row in self.payments if str(row.get("updated_at", "9999")) > day]


@asynccontextmanager
async def source_server() -> AsyncIterator[SourceServer]:
    """Serves on a free port until the context is left."""
    source = SourceServer()
    source.open.set()
    application = web.Application()
    application.router.add_get("/{dataset}", source.answer)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    source.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield source
    finally:
        source.open.set()
        await runner.cleanup()


def status(code: int, **headers: str) -> Misdeed:
    """An answer with a status, and no page."""

    async def misdeed(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers, text="no")

    return misdeed


def body(content: bytes | str, content_type: str = "application/json") -> Misdeed:
    """A 200 with any body."""

    async def misdeed(_: web.Request) -> web.StreamResponse:
        raw = content.encode() if isinstance(content, str) else content
        return web.Response(body=raw, content_type=content_type)

    return misdeed


async def cut(request: web.Request) -> web.StreamResponse:
    """A 200 that promises more than it gives, and hangs up."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'[{"id": 1},')
    assert request.transport is not None
    request.transport.close()
    return response


def encoded(content: bytes, encoding: str) -> Misdeed:
    """A 200 of these bytes, under this Content-Encoding."""

    async def misdeed(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type="application/json", headers={"Content-Encoding": encoding})

    return misdeed


def bomb(mebibytes: int) -> bytes:
    """Few bytes that gzip unpacks to so many mebibytes of spaces."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(mebibytes)) + packer.flush()


@dataclass
class Endless:
    """A 200 that goes on until the client hangs up: spaces, in chunks, after a pause each. `sent`: bytes so far."""

    chunk: int
    pause: float = 0
    sent: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b" " * self.chunk)
                self.sent += self.chunk
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.pause):
                        await self.hung_up.wait()
        self.hung_up.set()
        return response
