"""What the tests of the source share: its API on a free port, and a small dataset to load."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import pyarrow as pa

from demo.dataset import COMPANY_SCHEMA, PAYMENT_SCHEMA, Dataset
from demo.source.api import create_app
from demo.source.database import open_connection, open_pool
from demo.source.store import LoadReport, create_schema, load
from services.runtime.http_server import listen, serve

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def payment(payment_id: str, company_code: str = "C1", **changes: Any) -> dict[str, Any]:
    """A row of a dataset's payments."""
    row = {
        "payment_id": payment_id,
        "payment_at": NOON,
        "company_code": company_code,
        "status": "paid",
        "amount": Decimal("12.50"),
        "external_client_id": "client-1",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return {**row, **changes}


def company(company_id: int, company_code: str, **details: Any) -> dict[str, Any]:
    """A row of a dataset's companies, without its optional columns unless given."""
    return {"company_id": company_id, "company_code": company_code, "company_name": f"Name {company_code}", **details}


def dataset(payments: list[dict[str, Any]], companies: list[dict[str, Any]] | None = None) -> Dataset:
    """A dataset of these rows, with one company unless given."""
    listed = companies or [company(1, "C1")]
    return Dataset(
        pa.Table.from_pylist(payments, schema=PAYMENT_SCHEMA), pa.Table.from_pylist(listed, schema=COMPANY_SCHEMA)
    )


async def fill(url: str, rows: Dataset) -> LoadReport:
    """Loads `rows` into the database, whose tables are made first."""
    async with open_connection(url) as connection:
        await create_schema(connection)
        return await load(connection, rows)


@asynccontextmanager
async def running_source(url: str, max_limit: int = 5000) -> AsyncIterator[aiohttp.ClientSession]:
    """The API over real HTTP, and a session that asks it."""
    stop = asyncio.Event()
    listener = listen("127.0.0.1", 0, "SOURCE_")
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with open_pool(url) as pool, asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(create_app(pool, max_limit), listener, stop))
        try:
            async with aiohttp.ClientSession(address, timeout=aiohttp.ClientTimeout(total=30)) as session:
                yield session
        finally:
            stop.set()


async def get_json(session: aiohttp.ClientSession, path: str) -> Any:
    """The body of a 200."""
    async with session.get(path) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "application/json"
        return await response.json()
