"""Both kinds of client against real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from afin.recommender.v1 import recommender_pb2 as pb
from afin_client import (
    AccessDenied,
    AfinClient,
    AsyncAfinClient,
    Closed,
    InvalidRequest,
    NotFound,
    Overloaded,
    TimedOut,
    Tls,
    Unavailable,
)
from services.runtime.errors import ResourceExhausted
from services.runtime.errors import Unavailable as NotNow
from services.runtime.objects.local import LocalObjectStore
from tests.integration.client.told_server import ToldServer
from tests.integration.recommender.bundles import GROUP_SIZE, client_of, code_of, publish_world
from tests.integration.recommender.serving import Recommender, serving_published
from tests.integration.runtime.access.authority import Authority
from tests.integration.runtime.access.doors import keys_in

LONG = timedelta(seconds=20)
Call = Callable[..., Awaitable[Any]]
Open = Callable[..., Any]


@asynccontextmanager
async def threaded(*arguments: Any, **options: Any) -> AsyncIterator[Call]:
    """A client for threads, whose methods are called by name in one."""
    with AfinClient(*arguments, **{"timeout": LONG, **options}) as client:

        async def call(method: str, *values: Any, **wishes: Any) -> Any:
            return await asyncio.to_thread(getattr(client, method), *values, **wishes)

        yield call


@asynccontextmanager
async def awaited(*arguments: Any, **options: Any) -> AsyncIterator[Call]:
    """A client for asyncio, in the same shape."""
    async with AsyncAfinClient(*arguments, **{"timeout": LONG, **options}) as client:

        async def call(method: str, *values: Any, **wishes: Any) -> Any:
            return await getattr(client, method)(*values, **wishes)

        yield call


@pytest.fixture(params=[threaded, awaited])
def connect(request: pytest.FixtureRequest) -> Open:
    """Opens a client of each kind."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
async def recommender(object_store: LocalObjectStore, tmp_path: Path) -> AsyncIterator[Recommender]:
    """A recommender with the planted world."""
    publish_world(object_store, tmp_path / "bundle", epoch=4)
    async with serving_published(object_store, tmp_path / "cache") as serving:
        yield serving


async def test_it_asks_all_that_the_recommender_answers(connect: Open, recommender: Recommender) -> None:
    async with connect(recommender.address) as call:
        answer = await call(
            "recommend", client_of(1), 3, with_reasons=True, exclude_company_codes=[code_of(GROUP_SIZE)]
        )
        basket = await call("recommend_for_basket", [code_of(0)], max_results=2)
        several = await call("batch", [pb.RecommendRequest(client_id=client_of(0), max_results=1)] * 2)
        alike = await call("similar", code_of(0), 4)

    assert (len(answer.recommendations), answer.client_known) == (3, True)
    assert answer.recommendations[0].reasons
    assert len(basket.recommendations) == 2
    assert len(several.responses) == 2
    assert len(alike.companies) == 4


async def test_errors_say_what_a_caller_can_do(connect: Open, recommender: Recommender) -> None:
    async with connect(recommender.address) as call:
        with pytest.raises(InvalidRequest) as wrong:
            await call("recommend", client_of(1), 1000)
        with pytest.raises(NotFound) as missing:
            await call("similar", "no such company")
        with pytest.raises(ValueError, match="ingest"):
            await call("feedback", [])

    assert (wrong.value.field, wrong.value.code) == ("max_results", grpc.StatusCode.INVALID_ARGUMENT)
    assert missing.value.reason == "COMPANY_NOT_FOUND"


async def test_calls_of_a_client_that_is_closed_say_so(connect: Open) -> None:
    server = ToldServer()
    server.open.clear()
    async with server.serving(drain_seconds=0) as address:
        async with connect(address) as call:
            under_way = asyncio.ensure_future(call("recommend", "someone"))
            await server.entered.wait()

        with pytest.raises(Closed):
            await under_way
        with pytest.raises(Closed):
            await call("recommend", "someone")


async def test_a_task_that_is_cancelled_stays_cancelled() -> None:
    server = ToldServer()
    server.open.clear()
    async with server.serving(drain_seconds=0) as address, awaited(address) as call:
        under_way = asyncio.ensure_future(call("recommend", "someone"))
        await server.entered.wait()
        under_way.cancel()

        with pytest.raises(asyncio.CancelledError):
            await under_way


async def test_what_passes_is_tried_again_until_it_is_answered(connect: Open) -> None:
    server = ToldServer()
    server.errors = [NotNow("no index"), ResourceExhausted("busy", timedelta(milliseconds=1)), NotNow("no index")]
    async with server.serving() as address, connect(address) as call:
        answer = await call("recommend", "someone")
    assert (answer.recommendation_id, server.calls) == ("someone", 4)


async def test_what_does_not_pass_in_time_is_told_as_it_was(connect: Open) -> None:
    server = ToldServer()
    server.errors = [ResourceExhausted("busy", timedelta(minutes=1), reason="BUSY")]
    async with server.serving() as address, connect(address) as call:
        with pytest.raises(Overloaded) as caught:
            await call("recommend", "someone")
    assert (caught.value.reason, caught.value.retry_after, server.calls) == ("BUSY", timedelta(minutes=1), 1)
    assert caught.value.__context__ is None


async def test_a_call_has_a_deadline_of_its_own(connect: Open) -> None:
    server = ToldServer()
    server.errors = [NotNow("no index")] * 10_000
    async with server.serving() as address, connect(address, timeout=timedelta(seconds=1)) as call:
        with pytest.raises((Unavailable, TimedOut)):
            await call("recommend", "someone")
        with pytest.raises((Unavailable, TimedOut)):
            await call("recommend", "someone", timeout=timedelta(milliseconds=50))
        server.errors.clear()
        assert await call("recommend", "someone", timeout=LONG)


async def test_nobody_there_is_unavailable(connect: Open, unused_address: str) -> None:
    async with connect(unused_address, timeout=timedelta(seconds=1)) as call:
        with pytest.raises((Unavailable, TimedOut)):
            await call("recommend", "someone")


@pytest.fixture
async def unused_address() -> str:
    """Where a server was."""
    async with ToldServer().serving() as address:
        return address


async def test_a_key_and_certificates_are_shown_to_the_service(connect: Open, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    pair, mine = authority.issue("localhost"), authority.issue("caller")
    key = keys_in(tmp_path / "keys")["read"]
    settings = {
        "tls_cert_file": pair.certificate,
        "tls_key_file": pair.key,
        "tls_client_ca_file": authority.certificate,
        "api_keys_file": tmp_path / "keys",
    }
    tls = Tls(authority.certificate, mine.certificate, mine.key)
    soon = timedelta(seconds=1)
    async with ToldServer().serving(**settings) as address:
        async with connect(address, tls=tls, key=key) as call:
            assert (await call("recommend", "someone")).recommendation_id == "someone"
        # As a file holds it.
        async with connect(address, tls=tls, key=f"{key}\n") as call:
            assert (await call("recommend", "someone")).recommendation_id == "someone"
        async with connect(address, tls=tls, key="afin_unknown") as call:
            with pytest.raises(AccessDenied):
                await call("recommend", "someone")
        for wrong in (None, Tls(authority.certificate), Tls(other.certificate, mine.certificate, mine.key)):
            async with connect(address, tls=wrong, key=key, timeout=soon) as call:
                with pytest.raises((Unavailable, TimedOut)):
                    await call("recommend", "someone")
