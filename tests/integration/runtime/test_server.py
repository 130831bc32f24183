"""The servers of both kinds, alike: errors, metrics, limits, reflection, health, draining."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from structlog.testing import capture_logs

from services.runtime.channels import open_channel
from services.runtime.errors import AlreadyExists, DataLoss, FailedPrecondition, InvalidArgument, NotFound, Unavailable
from services.runtime.server_options import MAX_REQUEST_BYTES
from tests.integration.runtime.house import (
    ANSWER,
    STREAM,
    UNARY,
    Door,
    House,
    Visitor,
    details_of,
    handled,
    open_house,
    settings_of,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(params=["aio", "threads"])
def house(request: pytest.FixtureRequest) -> House:
    return House(request.param)


@pytest.fixture
async def visitor(house: House) -> AsyncIterator[Visitor]:
    async with open_house(house) as visitor:
        yield visitor


async def refused(call: Any) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def fails_with(error: Exception) -> Any:
    """Work that raises."""

    async def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    "error",
    [
        NotFound("no such thing", reason="THING_NOT_FOUND", metadata={"thing": "x"}),
        AlreadyExists("taken"),
        FailedPrecondition("run companies first", reason="COMPANIES_MISSING"),
        Unavailable("the store is away"),
        DataLoss("bytes differ"),
    ],
)
@pytest.mark.parametrize("method", ["call", "watch"])
async def test_an_error_reaches_the_caller_with_code_message_and_reason(
    house: House, visitor: Visitor, method: str, error: NotFound
) -> None:
    house.work = fails_with(error)

    told = await refused(getattr(visitor, method)())

    info, _ = details_of(told)
    assert (told.code(), told.details()) == (error.code, error.message)
    assert (info.reason, info.domain, dict(info.metadata)) == (error.reason, "afin", error.metadata)


async def test_a_wrong_field_reaches_the_caller_as_a_violation(house: House, visitor: Visitor) -> None:
    house.work = fails_with(InvalidArgument("max_results", "must be 1 to 100, is 0"))

    told = await refused(visitor.call())

    _, request = details_of(told)
    assert told.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert [(each.field, each.description) for each in request.field_violations] == [
        ("max_results", "must be 1 to 100, is 0")
    ]


@pytest.mark.parametrize("method", ["call", "watch"])
async def test_a_bug_is_told_to_the_log_and_not_to_the_caller(house: House, visitor: Visitor, method: str) -> None:
    house.work = fails_with(ZeroDivisionError("a detail that nobody should see"))

    with capture_logs() as logs:
        told = await refused(getattr(visitor, method)())

    assert told.code() == grpc.StatusCode.INTERNAL
    assert "a detail" not in str(told.details())
    assert details_of(told)[0].reason == ""
    assert [entry["log_level"] for entry in logs if entry["event"] == "call failed by a bug"] == ["error"]


async def test_after_a_bug_the_next_call_is_answered(house: House, visitor: Visitor) -> None:
    house.work = fails_with(ZeroDivisionError())
    await refused(visitor.call())
    house.work = House().work

    assert await visitor.call() == ANSWER


async def test_a_stream_gives_what_came_before_its_error(house: House, visitor: Visitor) -> None:
    assert len(await visitor.watch()) == 2


@pytest.mark.parametrize(("rpc", "method"), [("ReloadIndex", "call"), ("WatchRun", "watch")])
async def test_calls_are_counted_by_how_they_ended(house: House, rpc: str, method: str) -> None:
    well, ill = handled(rpc, "OK"), handled(rpc, "NOT_FOUND")

    async with open_house(house) as visitor:
        await getattr(visitor, method)()
        house.work = fails_with(NotFound("nowhere"))
        await refused(getattr(visitor, method)())

    assert (handled(rpc, "OK"), handled(rpc, "NOT_FOUND")) == (well + 1, ill + 1)


@pytest.mark.parametrize(("rpc", "method"), [("ReloadIndex", "call"), ("WatchRun", "watch")])
async def test_a_caller_that_goes_away_is_counted_as_cancelled(house: House, rpc: str, method: str) -> None:
    before, door = handled(rpc, "CANCELLED"), Door()
    house.work = door.stay
    async with open_house(house) as visitor:
        caller = asyncio.create_task(getattr(visitor, method)())
        await door.entered.wait()
        caller.cancel()
        await asyncio.wait([caller])

    assert handled(rpc, "CANCELLED") == before + 1


async def test_reflection_lists_the_services_for_tools(visitor: Visitor) -> None:
    ask: Any = visitor.channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    requests = [reflection_pb2.ServerReflectionRequest(list_services="")]

    (answer,) = [each async for each in ask(requests, timeout=20)]

    names = {service.name for service in answer.list_services_response.service}
    assert names == {UNARY, STREAM, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_a_request_over_the_limit_is_refused_before_any_work(visitor: Visitor) -> None:
    call: Any = visitor.channel.unary_unary(f"/{UNARY}/ReloadIndex")

    told = await refused(call(b"x" * (MAX_REQUEST_BYTES + 1), timeout=20))

    assert told.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_method_that_nobody_wrote_is_unimplemented(visitor: Visitor) -> None:
    call: Any = visitor.channel.unary_unary(f"/{UNARY}/NoSuchMethod")

    assert (await refused(call(b"", timeout=20))).code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_port_that_is_taken_is_not_shared(house: House, visitor: Visitor) -> None:
    with pytest.raises(SystemExit, match=str(visitor.port)):
        async with house.serve(settings_of(visitor.port)):
            pass


async def health_of(visitor: Visitor, service: str, status: int) -> None:
    """Waits until health says so."""
    stub: Any = health_pb2_grpc.HealthStub(visitor.channel)
    async with asyncio.timeout(20):
        async for answer in stub.Watch(health_pb2.HealthCheckRequest(service=service)):
            if answer.status == status:
                return


async def test_health_follows_what_the_service_says_and_the_process_lives_on(house: House, visitor: Visitor) -> None:
    await health_of(visitor, UNARY, SERVING)

    house.ready = fails_with(Unavailable("away"))

    await health_of(visitor, UNARY, NOT_SERVING)
    await health_of(visitor, "", SERVING)


async def test_a_call_in_flight_ends_well_when_the_server_stops(house: House) -> None:
    door = Door()
    house.work = door.stay
    async with stopping_during_a_call(house, door, drain_seconds=10) as (call, stopping):
        door.opened.set()

        assert await call == ANSWER
        await stopping


async def test_a_call_that_outlasts_the_drain_is_ended(house: House) -> None:
    door = Door()
    house.work = door.stay
    async with stopping_during_a_call(house, door, drain_seconds=0.1) as (call, stopping):
        await stopping

        assert (await refused(call)).code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


@asynccontextmanager
async def stopping_during_a_call(
    house: House, door: Door, drain_seconds: float
) -> AsyncIterator[tuple[asyncio.Task[Any], asyncio.Task[None]]]:
    """A call that stays at the door, and the stop of the server that began meanwhile."""
    server = AsyncExitStack()
    port = await server.enter_async_context(house.serve(settings_of(drain_seconds=drain_seconds)))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = asyncio.create_task(Visitor(port, channel).call())
        await door.entered.wait()
        stopping = asyncio.create_task(server.aclose())
        await refuses_new_calls(channel)
        yield call, stopping


async def refuses_new_calls(channel: grpc.aio.Channel) -> None:
    """Returns when a new call is no longer let in."""
    knock: Any = channel.unary_unary(f"/{UNARY}/NoSuchMethod")
    async with asyncio.timeout(20):
        while (await refused(knock(b"", timeout=20))).code() != grpc.StatusCode.UNAVAILABLE:
            pass


async def test_a_channel_of_ours_tries_again_what_was_unavailable(house: House, visitor: Visitor) -> None:
    tries = 0

    async def at_the_third_time() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("not yet")

    house.work = at_the_third_time
    async with open_channel(f"127.0.0.1:{visitor.port}") as channel:
        answer = await Visitor(visitor.port, channel).call()

    assert (answer, tries) == (ANSWER, 3)


async def test_a_channel_of_ours_does_not_repeat_a_bug(house: House, visitor: Visitor) -> None:
    tries = 0

    async def never() -> None:
        nonlocal tries
        tries += 1
        raise ZeroDivisionError

    house.work = never
    async with open_channel(f"127.0.0.1:{visitor.port}") as channel:
        await refused(Visitor(visitor.port, channel).call())

    assert tries == 1
