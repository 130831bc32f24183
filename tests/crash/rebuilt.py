"""After a season the warehouse is built again from the lake that the faults left, and must be the same row for row."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.warehouse.migrate import migrate
from tests.crash.season import World
from tests.crash.verdict import Verdict
from tests.integration.warehouse.tables import all_rows

# Loads whose run failed afterwards, so that the lake may not know of them yet.
UNTOLD = """
    SELECT run_id FROM ingest.runs WHERE state = 'failed' AND run_id::text IN (SELECT load_id FROM warehouse.loads)
"""


async def judge_rebuild(opened: World) -> Verdict:
    """Retries what failed, as a person would, then compares both warehouses."""
    for row in await opened.database.fetch(UNTOLD):
        await opened.client.retry(row["run_id"])
        await opened.client.settled(row["run_id"])
        await opened.client.cancel(row["run_id"])
    url = opened.scene.database_url
    async with _new_database(url) as other:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.warehouse.rebuild",
            env={**os.environ, **opened.lake, "WAREHOUSE_DATABASE_URL": other},
            stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE,
        )  # fmt: skip
        _, told = await process.communicate()
        if process.returncode:
            return Verdict(problems=[f"the rebuild ended with {process.returncode}: {told.decode()[-1000:]}"])
        stands, rebuilt = await _rows(url), await _rows(other)
    differing = [table for table in stands if stands[table] != rebuilt[table]]
    return Verdict(problems=[f"the rebuilt {table} differ" for table in differing])


@asynccontextmanager
async def _new_database(url: str) -> AsyncIterator[str]:
    name = f"rebuilt_{os.getpid()}"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        other = url.replace(f"/{await connection.fetchval('SELECT current_database()')}?", f"/{name}?")
        await migrate(other)
        yield other
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def _rows(url: str) -> dict[str, list[str]]:
    connection = await asyncpg.connect(url)
    try:
        return await all_rows(connection)
    finally:
        await connection.close()
