"""`python -m bench.ingest.fetching URL FOLDER`: the pages of a source fetched as ours fetches them, and thrown away.

What no reading on this machine can be faster than, for source and reader share it.
"""

import asyncio
import sys
import time

import aiohttp

from bench.ingest.ours import DAY, LIMITS, PAGES_IN_FLIGHT
from bench.ingest.outcome import say
from bench.ingest.source_process import LONGEST_PAGE
from services.ingest.adapters.source import open_session
from services.ingest.adapters.source_body import read_body


async def read(url: str) -> None:
    """Every page once, without the rows that a pass asks for again. Of the rows only their beginnings are counted."""
    started = time.perf_counter()
    offsets = iter(range(0, sys.maxsize, LONGEST_PAGE))
    async with open_session(LIMITS) as session:

        async def pages() -> int:
            rows = 0
            for offset in offsets:
                found = (await _page(session, url, offset)).count(b"{")
                rows += found
                if found < LONGEST_PAGE:
                    break
            return rows

        rows = sum(await asyncio.gather(*(pages() for _ in range(PAGES_IN_FLIGHT))))
    say(time.perf_counter() - started, rows)


async def _page(session: aiohttp.ClientSession, url: str, offset: int) -> bytes:
    query = {"updated_at": DAY.isoformat(), "limit": str(LONGEST_PAGE), "offset": str(offset)}
    async with session.get(f"{url}/payments", params=query) as response:
        return await read_body(response, LIMITS.max_page_bytes)


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1]))
