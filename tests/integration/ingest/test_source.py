"""The source over real HTTP: what is asked again, what is refused, and that no answer breaks a bound."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from aiohttp import web

from services.ingest.adapters.source import HttpSource, SourceLimits, open_source
from services.ingest.adapters.source_patience import Patience
from services.ingest.domain.paging import PageRequest
from services.ingest.workflow.errors import SourceRefuses, SourceUnavailable
from services.ingest.workflow.values import Page
from tests.integration.ingest.source_server import NOW, Endless, SourceServer, body, bomb, cut, encoded, payment, status

FIRST = PageRequest(0, 100)
OWN_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE = Patience(attempts=3, retries=100, first_wait=timedelta(milliseconds=1))
LIMITS = SourceLimits(timedelta(seconds=5), max_page_bytes=64 * 1024, connections=4, patience=PATIENCE)


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
    return await client.payments(date(2026, 3, 1))(FIRST)


async def test_a_page_is_asked_for_by_date_limit_and_offset(client: HttpSource, source: SourceServer) -> None:
    page = await client.payments(date(2026, 3, 1))(PageRequest(15, 100))

    assert source.requests == [{"path": "/payments", "updated_at": "2026-03-01", "limit": "100", "offset": "15"}]
    assert page.rows.groups == [f"p{number:05}" for number in range(15, 20)]


async def test_the_sources_clock_comes_with_the_page(client: HttpSource) -> None:
    assert (await client.companies()(FIRST)).source_time == NOW


@pytest.mark.parametrize("told", ["some day", "Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 31 Dec 1950 23:59:59 GMT"])
async def test_without_a_clock_of_the_source_ours_is_taken(client: HttpSource, source: SourceServer, told: str) -> None:
    async def dateless(_: web.Request) -> web.StreamResponse:
        return web.json_response([], headers={"Date": told})

    source.misdeeds = [dateless]

    assert (await client.companies()(FIRST)).source_time == OWN_CLOCK


async def test_amounts_never_pass_through_float(client: HttpSource, source: SourceServer) -> None:
    exact = json.dumps(payment(1, amount=0)).replace(" 0,", " 1234567890123456.785,")
    source.misdeeds = [body(f"[{exact}, {exact.replace('1234567890123456.785', 'NaN')}]")]

    page = await payments(client)

    assert page.rows.columns["amount"].to_pylist() == [Decimal("1234567890123456.79"), None]


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
    hasty = replace(LIMITS, timeout=timedelta(milliseconds=100))

    async with opened(source, hasty) as client:
        with pytest.raises(SourceUnavailable, match=r"gave no whole answer within 0:00:00\.1"):
            await payments(client)


async def test_a_packed_page_is_read(client: HttpSource, source: SourceServer) -> None:
    source.misdeeds = [encoded(gzip.compress(b'[{"id": 7}]'), "gzip")]

    assert (await payments(client)).rows.groups == ["7"]


@pytest.mark.parametrize(
    ("content", "encoding", "problem"),
    [
        (gzip.compress(b"[]")[:-9], "gzip", "a body that is cut, or goes on behind its end"),
        (gzip.compress(b"[]") * 2, "gzip", "a body that is cut, or goes on behind its end"),
        (b"[]", "gzip", "a body that cannot be unpacked"),
        (b"[]", "br", "a body that is packed in a way that was not asked for"),
    ],
    ids=["cut", "two", "not packed", "brotli"],
)
async def test_a_body_that_cannot_be_unpacked_whole_is_asked_again(
    client: HttpSource, source: SourceServer, content: bytes, encoding: str, problem: str
) -> None:
    source.misdeeds = [encoded(content, encoding)] * 3

    with pytest.raises(SourceUnavailable, match=problem):
        await payments(client)

    assert len(source.requests) == 3


@pytest.mark.parametrize("giant", [body(b" " * 100_000), encoded(bomb(1), "gzip")], ids=["announced", "packed"])
async def test_a_giant_page_is_refused_once_and_for_all(
    client: HttpSource, source: SourceServer, giant: object
) -> None:
    source.misdeeds = [giant]  # type: ignore[list-item] # parametrize gives objects

    with pytest.raises(SourceRefuses, match="more than 65536 bytes; lower INGEST_PAGE_LIMIT"):
        await payments(client)

    assert len(source.requests) == 1


async def test_a_page_without_end_is_dropped_while_it_is_read(client: HttpSource, source: SourceServer) -> None:
    endless = Endless(chunk=64 * 1024)
    source.misdeeds = [endless]

    with pytest.raises(SourceRefuses, match="more than 65536 bytes"):
        await payments(client)

    async with asyncio.timeout(10):
        await endless.hung_up.wait()
    # What the sockets of both sides hold, and no more.
    assert endless.sent < 64 * 1024 * 1024


async def test_a_bomb_costs_no_more_memory_than_a_page_may(client: HttpSource, source: SourceServer) -> None:
    source.misdeeds = [encoded(bomb(60), "gzip")]
    tracemalloc.start()
    try:
        with pytest.raises(SourceRefuses, match="more than 65536 bytes"):
            await payments(client)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * 1024 * 1024


async def test_a_page_that_comes_drop_by_drop_is_given_up(source: SourceServer) -> None:
    drops = [Endless(chunk=1, pause=0.02), Endless(chunk=1, pause=0.02)]
    source.misdeeds = [*drops]
    hasty = replace(LIMITS, timeout=timedelta(milliseconds=200), patience=replace(PATIENCE, attempts=2))

    async with opened(source, hasty) as client:
        with pytest.raises(SourceUnavailable, match=r"gave no whole answer within 0:00:00\.2\d* to /payments, asked 2"):
            await payments(client)

    assert all(one.sent > 2 for one in drops), "it was not silent"


async def test_the_retries_of_a_pass_are_counted_over_all_of_its_pages(source: SourceServer) -> None:
    source.misdeeds = [status(500)] * 3
    limits = replace(LIMITS, patience=replace(PATIENCE, retries=2))

    async with opened(source, limits) as client:
        fetch = client.payments(date(2026, 3, 1))
        pages = await asyncio.gather(*(fetch(PageRequest(at, 5)) for at in range(3)), return_exceptions=True)
        (problem,) = [str(page) for page in pages if isinstance(page, SourceUnavailable)]
        another_pass = await payments(client)

    assert "all 2 of INGEST_PASS_RETRIES used" in problem
    assert len(another_pass.rows) == 20


@pytest.mark.parametrize(("code", "busy"), [(429, True), (503, True), (500, False)])
async def test_a_source_that_has_too_much_to_do_is_known_by_its_page(
    client: HttpSource, source: SourceServer, code: int, busy: bool
) -> None:
    source.misdeeds = [status(code)]
    fetch = client.payments(date(2026, 3, 1))

    assert [(await fetch(FIRST)).busy, (await fetch(FIRST)).busy] == [busy, False]


async def test_a_source_says_in_its_error_how_long_it_wants_to_rest(source: SourceServer) -> None:
    source.misdeeds = [status(429, **{"Retry-After": "3600"})] * 2
    limits = replace(LIMITS, patience=replace(PATIENCE, attempts=2, longest_rest=timedelta(milliseconds=10)))

    async with opened(source, limits) as client:
        with pytest.raises(SourceUnavailable, match="answered 429 and wants 1:00:00 of rest to /payments"):
            await payments(client)


async def test_a_moment_to_ask_again_at_is_understood(source: SourceServer) -> None:
    until = format_datetime(OWN_CLOCK + timedelta(minutes=2), usegmt=True)
    source.misdeeds = [status(503, **{"Retry-After": until})] * 2
    limits = replace(LIMITS, patience=replace(PATIENCE, attempts=2, longest_rest=timedelta(milliseconds=10)))

    async with opened(source, limits) as client:
        with pytest.raises(SourceUnavailable, match="answered 503 and wants 0:02:00 of rest"):
            await payments(client)


async def test_the_source_sees_as_many_connections_as_are_allowed(source: SourceServer) -> None:
    source.open.clear()
    async with opened(source, replace(LIMITS, connections=2)) as client:
        fetch = client.payments(date(2026, 3, 1))
        asked = [asyncio.create_task(fetch(PageRequest(at, 5))) for at in range(6)]
        await source.waiting(2)
        source.open.set()
        await asyncio.gather(*asked)

    assert source.most_at_once == 2


async def test_an_error_names_no_row_and_no_client(client: HttpSource, source: SourceServer) -> None:
    source.misdeeds = [body(f'[{{"external_client_id": "{payment(1)["external_client_id"]}"')] * 3

    with pytest.raises(SourceUnavailable) as caught:
        await payments(client)

    assert "client-" not in str(caught.value)
