"""The one PostgreSQL of a run, with the durability that it has by default, and databases on it."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import asyncpg

from services.warehouse.migrate import migrate

UrlOf = Callable[[str], str]


def new_database(url_of: UrlOf) -> str:
    """The URL of an empty one, which gives everybody the memory that our loads ask for.

    With the default of 4 MB, dlt's NOT IN over a million rows is a nested loop that does not end.
    """
    name = f"bench_{uuid4().hex}"
    execute(url_of("postgres"), f"CREATE DATABASE {name}")
    execute(url_of("postgres"), f"ALTER DATABASE {name} SET work_mem = '256MB'")
    return url_of(name)


def new_warehouse(url_of: UrlOf) -> str:
    """The URL of an empty warehouse, at the newest revision."""
    url = new_database(url_of)
    asyncio.run(migrate(url))
    return url


def settle(url: str) -> None:
    """Ends the work that past writes have left, so that none of it falls into the next measurement."""
    execute(url, "VACUUM (ANALYZE)")
    execute(url, "CHECKPOINT")


def execute(url: str, statement: str) -> None:
    """Runs one statement."""
    asyncio.run(_execute(url, statement))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
