"""`python -m demo.source` and `python -m demo.live` as processes of their own."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest

from tests.integration.demo.source_server import dataset, fill, get_json, payment

TIMEOUT = 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_source_makes_its_tables_serves_and_ends_with_0(database_url: str, number: signal.Signals) -> None:
    async with _started("demo.source", SOURCE_DATABASE_URL=database_url, SOURCE_PORT="0") as process:
        port = (await _event(process, "listening"))["port"]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            rows = await get_json(session, "/payments?updated_at=2020-01-01")
        process.send_signal(number)
        code = await asyncio.wait_for(process.wait(), TIMEOUT)

    assert rows == []
    assert code == 0


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "SOURCE_DATABASE_URL"),
        ({"SOURCE_DATABASE_URL": "mysql://secret@host/db"}, "SOURCE_DATABASE_URL"),
        ({"SOURCE_DATABASE_URL": "postgresql://secret@/db", "SOURCE_PORT": "http"}, "SOURCE_PORT"),
        ({"SOURCE_DATABASE_URL": "postgresql://secret@/db", "SOURCE_MAX_LIMIT": "0"}, "SOURCE_MAX_LIMIT"),
        ({"SOURCE_DATABASE_URL": "postgresql://secret@/db", "SOURCE_PROT": "1"}, "SOURCE_PROT"),
        ({"SOURCE_DATABASE_URL": "postgresql://secret@/db?host=/no/such/folder"}, "SOURCE_DATABASE_URL"),
    ],
)
async def test_a_wrong_setting_is_one_clear_line(settings: dict[str, str], named: str) -> None:
    code, errors = await _run_to_end("demo.source", **settings)

    assert code in {1, 2}
    assert errors.count("\n") == 1
    assert named in errors
    assert "secret" not in errors


async def test_a_taken_port_is_one_clear_line(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, errors = await _run_to_end("demo.source", SOURCE_DATABASE_URL=database_url, SOURCE_PORT=port)

    assert code == 1
    assert errors.count("\n") == 1
    assert port in errors


async def test_the_live_mode_adds_payments_until_it_is_stopped(database_url: str) -> None:
    await fill(database_url, dataset([payment(f"p{number}") for number in range(20)]))

    async with _started("demo.live", SOURCE_DATABASE_URL=database_url, LIVE_PAYMENTS_PER_SECOND="200") as process:
        await _until_more_payments_than(database_url, 20)
        process.terminate()
        code = await asyncio.wait_for(process.wait(), TIMEOUT)

    assert code == 0


async def test_the_live_mode_ends_by_itself_after_its_seconds(database_url: str) -> None:
    await fill(database_url, dataset([payment(f"p{number}") for number in range(20)]))
    settings = {"LIVE_PAYMENTS_PER_SECOND": "100", "LIVE_SECONDS": "0.5", "LIVE_SEED": "1"}

    async with _started("demo.live", SOURCE_DATABASE_URL=database_url, **settings) as process:
        made = await _event(process, "live mode ended")
        code = await asyncio.wait_for(process.wait(), TIMEOUT)

    counts = [value for value in made.values() if isinstance(value, int)]
    assert code == 0
    assert sum(counts) == 50


async def test_the_live_mode_needs_payments_to_begin_with(database_url: str) -> None:
    code, errors = await _run_to_end("demo.live", SOURCE_DATABASE_URL=database_url)

    assert code == 1
    assert errors == "live: the source holds no payments; load a dataset before the live mode\n"


@asynccontextmanager
async def _started(module: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SOURCE_", "LIVE_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env={**kept, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _run_to_end(module: str, **settings: str) -> tuple[int | None, str]:
    async with _started(module, **settings) as process:
        _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
        return process.returncode, errors.decode()


async def _event(process: asyncio.subprocess.Process, event: str) -> dict[str, object]:
    """The first line of the log with this event."""
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT):
        async for line in process.stdout:
            fields: dict[str, object] = json.loads(line)
            if fields["event"] == event:
                return fields
    raise AssertionError(f"the process ended without {event!r}")


async def _until_more_payments_than(url: str, count: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(TIMEOUT):
            while await connection.fetchval("SELECT count(*) FROM source.payments") <= count:
                pass
    finally:
        await connection.close()
