"""The source over real HTTP: what is asked again, what is refused, and that no answer breaks a bound."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import web

from services.ingest.adapters.source import HttpSource, SourceLimits, open_source
from services.ingest.domain.paging import PageRequest
from services.ingest.domain.values import UNPARSABLE
from services.ingest.workflow.errors import SourceRefuses, SourceUnavailable
from services.ingest.workflow.values import Page
from tests.integration.ingest.source_server import NOW, SourceServer, body, cut, packed, payment, status

FIRST = PageRequest(0, 100)
OWN_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = SourceLimits(
    timeout=timedelta(seconds=5), attempts=3, max_page_bytes=64 * 1024, first_wait=timedelta(milliseconds=1)
)


def opened(server: SourceServer, limits: SourceLimits = LIMITS) -> AbstractAsyncContextManager[HttpSource]:
    """A client of the server."""
    return open_source(f"{server.url}/", limits, lambda: OWN_CLOCK)


@pytest.fixture
async def client(source: SourceServer) -> AsyncIterator[HttpSource]:
    """A client that asks three times."""
    async with opened(source) as found:
        yield found


async def payments(client: HttpSource) -> Page:
    """The first page of payments."""
    return await client.payments(date(2026, 3, 1), FIRST)


async def test_a_page_is_asked_for_by_date_limit_and_offset(client: HttpSource, source: SourceServer) -> None:
    page = await client.payments(date(2026, 3, 1), PageRequest(15, 100))

    assert source.requests == [{"path": "/payments", "updated_at": "2026-03-01", "limit": "100", "offset": "15"}]
    assert [row.group for row in page.rows] == [f"p{number:05}" for number in range(15, 20)]


async def test_the_sources_clock_comes_with_the_page(client: HttpSource) -> None:
    assert (await client.companies(FIRST)).source_time == NOW


async def test_without_a_clock_of_the_source_ours_is_taken(client: HttpSource, source: SourceServer) -> None:
    async def dateless(_: web.Request) -> web.StreamResponse:
        return web.json_response([], headers={"Date": "some day"})

    source.misdeeds = [dateless]

    assert (await client.companies(FIRST)).source_time == OWN_CLOCK


async def test_amounts_never_pass_through_float(client: HttpSource, source: SourceServer) -> None:
    source.misdeeds = [body('[{"id": 1, "amount": 0.10000000000000000001}, {"id": 2, "amount": NaN}]')]

    page = await payments(client)

    assert [row.fields["amount"] for row in page.rows] == [Decimal("0.10000000000000000001"), UNPARSABLE]


@pytest.mark.parametrize(
    "misdeed",
    [status(500), status(503), status(429), body("<html>busy</html>", "text/html"), body('[{"id": 1'), body("{}"), cut],
    ids=["500", "503", "429", "html", "cut json", "no list", "cut body"],
)
async def test_a_passing_fault_is_asked_again(client: HttpSource, source: SourceServer, misdeed: object) -> None:
    source.misdeeds = [misdeed, misdeed]  # type: ignore[list-item] # parametrize gives objects

    assert len((await payments(client)).rows) == 20
    assert len(source.requests) == 3


@pytest.mark.parametrize(
    ("misdeed", "problem"),
    [
        (status(500), "the source answered 500 to /payments, asked 3 times; check INGEST_SOURCE_URL and the source"),
        (body("<html>"), "answered 200 with a body that is not a JSON list"),
        (cut, "broke off its answer"),
    ],
    ids=["500", "html", "cut body"],
)
async def test_a_lasting_fault_is_told_after_the_last_attempt(
    client: HttpSource, source: SourceServer, misdeed: object, problem: str
) -> None:
    source.misdeeds = [misdeed] * 3  # type: ignore[list-item] # parametrize gives objects

    with pytest.raises(SourceUnavailable, match=problem):
        await payments(client)

    assert len(source.requests) == 3


@pytest.mark.parametrize(
    ("code", "problem"),
    [(404, "answered 404 to /payments"), (401, "answered 401"), (302, "a redirect, to /payments; none is followed")],
)
async def test_what_will_not_get_better_is_not_asked_again(
    client: HttpSource, source: SourceServer, code: int, problem: str
) -> None:
    source.misdeeds = [status(code, Location="http://127.0.0.1:1/elsewhere")]

    with pytest.raises(SourceRefuses, match=problem):
        await payments(client)

    assert len(source.requests) == 1


async def test_the_source_is_left_alone_for_as_long_as_it_asks(client: HttpSource, source: SourceServer) -> None:
    source.misdeeds = [status(429, **{"Retry-After": "1"})]
    loop_time = asyncio.get_running_loop().time
    begun = loop_time()

    await payments(client)

    assert loop_time() - begun >= 1


async def test_a_source_that_is_down_is_told(source: SourceServer) -> None:
    async with open_source("http://127.0.0.1:1", LIMITS, lambda: OWN_CLOCK) as client:
        with pytest.raises(SourceUnavailable, match="did not answer"):
            await payments(client)


async def test_a_source_that_hangs_is_told(source: SourceServer) -> None:
    source.open.clear()
    hasty = SourceLimits(timedelta(milliseconds=100), 2, 1024, timedelta(milliseconds=1))

    async with opened(source, hasty) as client:
        with pytest.raises(SourceUnavailable, match=r"gave no whole answer within 0:00:00\.1"):
            await payments(client)


@pytest.mark.parametrize("giant", [body(b"[" + b" " * 100_000), packed(100_000)], ids=["plain", "compressed"])
async def test_a_giant_page_is_dropped_while_it_is_read(
    client: HttpSource, source: SourceServer, giant: object
) -> None:
    source.misdeeds = [giant]  # type: ignore[list-item] # parametrize gives objects

    with pytest.raises(SourceRefuses, match="more than 65536 bytes; lower INGEST_PAGE_LIMIT"):
        await payments(client)

    assert len(source.requests) == 1


async def test_an_error_names_no_row_and_no_client(client: HttpSource, source: SourceServer) -> None:
    source.misdeeds = [body(f'[{{"external_client_id": "{payment(1)["external_client_id"]}"')] * 3

    with pytest.raises(SourceUnavailable) as caught:
        await payments(client)

    assert "client-" not in str(caught.value)
