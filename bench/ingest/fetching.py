"""`python -m bench.ingest.fetching URL FOLDER`: the pages of a source fetched as ours fetches them, and thrown away.

What no reading on this machine can be faster than, for source and reader share it.
"""

import asyncio
import sys
import time
from collections.abc import Callable

import aiohttp

from bench.ingest.ours import DAY, LIMITS, PAGES_IN_FLIGHT
from bench.ingest.outcome import say
from bench.ingest.source_process import LONGEST_PAGE
from services.ingest.adapters.source import open_session
from services.ingest.adapters.source_body import read_body


async def read(url: str) -> None:
    """Every page once. Of the rows only their beginnings are counted."""
    started, rows = time.perf_counter(), 0

    def count(_offset: int, body: bytes) -> None:
        nonlocal rows
        rows += body.count(b"{")

    await fetch_all(url, count)
    say(time.perf_counter() - started, rows)


async def fetch_all(url: str, take: Callable[[int, bytes], None]) -> None:
    """Gives each page with its offset, without the rows that a pass asks for again."""
    offsets = iter(range(0, sys.maxsize, LONGEST_PAGE))
    async with open_session(LIMITS) as session:

        async def pages() -> None:
            for offset in offsets:
                body = await _page(session, url, offset)
                if len(body) <= len(b"[]"):
                    break
                take(offset, body)

        await asyncio.gather(*(pages() for _ in range(PAGES_IN_FLIGHT)))


async def _page(session: aiohttp.ClientSession, url: str, offset: int) -> bytes:
    query = {"updated_at": DAY.isoformat(), "limit": str(LONGEST_PAGE), "offset": str(offset)}
    async with session.get(f"{url}/payments", params=query) as response:
        return await read_body(response, LIMITS.max_page_bytes)


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1]))
