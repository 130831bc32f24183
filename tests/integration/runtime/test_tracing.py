"""Calls as spans, with a real collector, on both kinds of server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import grpc
import pytest
import structlog

from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from services.runtime.channels import open_channel
from services.runtime.errors import NotFound
from services.runtime.run_ids import run_id_interceptors
from services.runtime.tracing.calls import client_interceptors
from services.runtime.tracing.export import exporting
from services.runtime.tracing.spans import current_ids, describe, run_span, span
from tests.collector import Collector, collecting
from tests.integration.runtime.house import STREAM, UNARY, House, Visitor, open_house, settings_of

RELOAD, WATCH = f"{UNARY}/ReloadIndex", f"{STREAM}/WatchRun"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "client-47"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that is there."""
    with collecting() as made:
        yield made


@pytest.fixture(params=["aio", "threads"])
def house(request: pytest.FixtureRequest) -> House:
    """Both kinds of server."""
    return House(request.param)


@asynccontextmanager
async def traced(house: House, url: str) -> AsyncIterator[Visitor]:
    """A house whose calls are traced, and a visitor whose calls are."""
    async with (
        house.serve(settings_of(traces_url=url)) as port,
        open_channel(f"127.0.0.1:{port}", outer=(*client_interceptors(), *run_id_interceptors())) as channel,
    ):
        yield Visitor(port, channel)


async def reload_index(visitor: Visitor, *metadata: tuple[str, str]) -> None:
    """The unary call as somebody makes it who knows nothing of our interceptors."""
    stub: Any = recommender_pb2_grpc.RecommenderServiceStub(visitor.channel)
    await stub.ReloadIndex(recommender_pb2.ReloadIndexRequest(), timeout=20, metadata=metadata)


async def test_a_call_continues_the_trace_of_its_caller(house: House, collector: Collector) -> None:
    with exporting("house", collector.url, 0):  # the caller decides, whatever our share
        async with open_house(house, traces_url=collector.url) as visitor:
            await reload_index(visitor, ("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", f"who={SECRET}"))

    (served,) = collector.trace(TRACE, RELOAD)

    assert (served.parent_id, served.kind, served.error) == (PARENT, "server", None)
    assert served.attributes == {
        "rpc.system": "grpc",
        "rpc.service": UNARY,
        "rpc.method": "ReloadIndex",
        "rpc.grpc.status_code": 0,
    }
    assert SECRET.encode() not in b"".join(collector.raw)


async def test_a_call_without_a_trace_that_is_kept_is_none_where_our_share_is_nothing(
    house: House, collector: Collector
) -> None:
    with exporting("house", collector.url, 0):
        async with open_house(house, traces_url=collector.url) as visitor:
            for parent in ("", "garbage", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"):
                await reload_index(visitor, ("traceparent", parent))

    assert collector.raw == []


async def test_spans_of_a_call_stand_below_each_other_over_both_services(house: House, collector: Collector) -> None:
    run_id = uuid4()
    with exporting("house", collector.url, 0):
        async with traced(house, collector.url) as visitor:
            with run_span("run", run_id), span("step", rows=3):
                await visitor.call()
                await visitor.watch()

    found = collector.trace(run_id.hex, "run", "step", RELOAD, WATCH)

    names = {each.span_id: each.name for each in found}
    links = sorted((each.kind, each.name, names.get(each.parent_id, "")) for each in found)
    assert links == [
        ("client", WATCH, "step"),
        ("client", RELOAD, "step"),
        ("internal", "run", ""),
        ("internal", "step", "run"),
        ("server", WATCH, WATCH),
        ("server", RELOAD, RELOAD),
    ]
    assert {each.error for each in found} == {None}


async def test_a_failure_is_told_by_its_kind_and_never_by_its_message(house: House, collector: Collector) -> None:
    errors = [NotFound(SECRET, reason="NO_SUCH_CLIENT"), KeyError(SECRET)]

    async def fail() -> None:
        raise errors.pop()

    house.work = fail
    run_id = uuid4()
    with exporting("house", collector.url, 1):
        async with traced(house, collector.url) as visitor:
            while errors:
                with pytest.raises(grpc.aio.AioRpcError), run_span("run", run_id):
                    await visitor.call()

    found = collector.trace(run_id.hex, "run", RELOAD)

    assert sorted((each.kind, each.error or "") for each in found if each.kind != "internal") == [
        ("client", "INTERNAL"),
        ("client", "NOT_FOUND"),
        ("server", ""),  # what a caller asked wrongly is no error of the server
        ("server", "INTERNAL"),
    ]
    assert {each.error for each in found if each.name == "run"} == {"AioRpcError"}
    assert SECRET.encode() not in b"".join(collector.raw)


async def test_a_caller_who_goes_ends_the_call_and_what_cannot_be_sent_is_told(collector: Collector) -> None:
    house, entered, ended = House(), asyncio.Event(), asyncio.Event()

    async def stay() -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    house.work = stay
    run_id = uuid4()
    with exporting("house", collector.url, 1):
        async with traced(house, collector.url) as visitor, asyncio.timeout(20):
            with run_span("run", run_id):
                calling = asyncio.create_task(visitor.call())
                await entered.wait()
                calling.cancel()
                await ended.wait()
                with pytest.raises(TypeError):
                    await reload_index(visitor, ("number", cast("str", 5)))

    found = collector.trace(run_id.hex, "run", RELOAD)
    assert sorted(each.error or "" for each in found if each.kind == "client") == ["CancelledError", "TypeError"]


async def test_what_a_call_logs_is_of_its_run_trace_and_span(collector: Collector) -> None:
    house, seen = House(), list[dict[str, object]]()

    async def look() -> None:
        seen.append(structlog.contextvars.get_contextvars() | current_ids())

    house.work = look
    run_id = uuid4()
    with exporting("house", collector.url, 1):
        async with traced(house, collector.url) as visitor:
            with run_span("run", run_id), structlog.contextvars.bound_contextvars(run_id=str(run_id)):
                await visitor.call()

    (served,) = [each for each in collector.trace(run_id.hex, RELOAD) if each.kind == "server"]
    assert seen == [{"run_id": str(run_id), "trace_id": run_id.hex, "span_id": served.span_id}]


async def test_a_run_id_that_is_none_is_not_taken_into_the_log() -> None:
    house, seen = House(), list[dict[str, object]]()

    async def look() -> None:
        seen.append(structlog.contextvars.get_contextvars())

    house.work = look
    async with open_house(house) as visitor:
        await reload_index(visitor, ("afin-run-id", SECRET))

    assert seen == [{}]


async def test_a_collector_that_is_away_costs_no_call(house: House) -> None:
    with collecting() as gone:
        url = gone.url
    with exporting("house", url, 1):
        async with traced(house, url) as visitor:
            answers = [await visitor.call() for _ in range(5)]

    assert all(answer.changed for answer in answers)


async def test_without_a_collector_work_has_no_span() -> None:
    with run_span("run", uuid4()), span("step"):
        describe(rows=3)

        assert current_ids() == {}
