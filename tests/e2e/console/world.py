"""A stack with the console before it, and a browser's manners: cookies, forms with their token, no script."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import aiohttp
from yarl import URL

from demo.stack.stack import open_console
from tests.e2e.canary.world import World, canary_world

TIMEOUT = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True)
class Shown:
    """A page as it came, after redirects."""

    status: int
    path: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What a person reads, in one line."""
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", self.html))).strip()

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found, f"no field {name} in {self.path}"
        return unescape(found[1])


class Browser:
    """One person's."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self.address = address

    async def open(self, path: str, **headers: str) -> Shown:
        """GET."""
        async with self._session.get(self.address + path, headers=headers) as answer:
            return await _shown(answer)

    async def send(self, page: Shown, action: str, **fields: str) -> Shown:
        """Sends a form of a page."""
        return await self.post(action, None, token=page.field("token"), **fields)

    async def post(self, action: str, headers: dict[str, str] | None = None, **fields: str) -> Shown:
        """POST of these fields alone."""
        async with self._session.post(self.address + action, data=fields, headers=headers) as answer:
            return await _shown(answer)

    async def follow(self, path: str) -> list[tuple[str, str]]:
        """The events of a stream, to its `end`: kind and content."""
        events = []
        async with self._session.get(self.address + path) as answer:
            assert answer.content_type == "text/event-stream"
            text = await answer.text()
        for block in text.strip().split("\n\n"):
            kind, *lines = block.split("\n")
            events.append(
                (kind.removeprefix("event: "), "\n".join(line.removeprefix("data:").strip() for line in lines))
            )
        return events


@dataclass(frozen=True)
class ConsoleWorld:
    """The stack, and a browser that looks at its console."""

    world: World
    browser: Browser


@asynccontextmanager
async def console_world(state: Path) -> AsyncIterator[ConsoleWorld]:
    """Everything at work; nothing has run yet."""
    async with (
        canary_world(state) as world,
        open_console(world.stack, print) as address,
        a_browser(address) as browser,
    ):
        yield ConsoleWorld(world, browser)


@asynccontextmanager
async def a_browser(address: str) -> AsyncIterator[Browser]:
    """With cookies of its own."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name are kept, too
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=TIMEOUT) as session:
        yield Browser(session, address)


async def _shown(answer: aiohttp.ClientResponse) -> Shown:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Shown(answer.status, URL(answer.url).path, await answer.text(), headers)
