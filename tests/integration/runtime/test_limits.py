"""What a server of either kind refuses, and that a polite client beside it sees nothing of that."""

import asyncio
import socket
from contextlib import suppress
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.runtime.call_pool import PoolLimits
from services.runtime.errors import DETAILS_TRAILER, Unavailable
from tests.integration.runtime.house import ANSWER, UNARY, Door, House, Visitor, details_of, handled, open_house
from tests.integration.runtime.rude_client import GOAWAY, HEADERS, PATIENCE, RudeClient, rude_clients
from tests.integration.runtime.test_server import fails_with

PATH = f"/{UNARY}/ReloadIndex"
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(params=["aio", "threads"])
def house(request: pytest.FixtureRequest) -> House:
    return House(request.param)


async def calls_well(visitor: Visitor, times: int = 20) -> bool:
    """Whether so many calls in a row are answered."""
    return [await visitor.call() for _ in range(times)] == [ANSWER] * times


async def health_of(visitor: Visitor, service: str = "") -> int:
    """What Check says of a service, or of the process."""
    stub: Any = health_pb2_grpc.HealthStub(visitor.channel)
    return int((await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)).status)


async def refused(call: Any) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def retry_seconds(error: grpc.aio.AioRpcError) -> float:
    """The time to wait that RetryInfo tells; 0 without one."""
    info = error_details_pb2.RetryInfo()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_TRAILER:
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
    return float(info.retry_delay.ToTimedelta().total_seconds())


async def occupied(visitor: Visitor, house: House, calls: int) -> tuple[Door, list[asyncio.Task[Any]]]:
    """So many calls that stay at the door, all inside."""
    door, inside = Door(), asyncio.Semaphore(0)

    async def stay() -> None:
        inside.release()
        await door.stay()

    house.work = stay
    staying = [asyncio.create_task(visitor.call()) for _ in range(calls)]
    for _ in staying:
        await asyncio.wait_for(inside.acquire(), PATIENCE)
    return door, staying


async def test_streams_without_a_request_stop_nobody(house: House) -> None:
    async with open_house(house) as visitor:
        with rude_clients(visitor.port, 4) as clients:
            for client in clients:
                for _ in range(50):
                    client.open_stream(PATH)

            assert await calls_well(visitor)
            assert await health_of(visitor) == SERVING


async def test_more_calls_than_may_be_at_work_are_told_when_to_come_again(house: House) -> None:
    async with open_house(house, max_calls=2) as visitor:
        door, staying = await occupied(visitor, house, 2)

        told = await refused(visitor.call())

        assert (told.code(), details_of(told)[0].reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert 0.5 <= retry_seconds(told) <= 1.5
        assert await health_of(visitor) == SERVING
        door.opened.set()
        assert await asyncio.gather(*staying) == [ANSWER] * 2
        assert await calls_well(visitor)


async def test_streams_beyond_the_threads_that_may_wait_are_refused_and_counted() -> None:
    house, door, inside = House("threads"), Door(), asyncio.Semaphore(0)
    before = handled("WatchRun", "RESOURCE_EXHAUSTED")

    async def stay() -> None:
        inside.release()
        await door.stay()

    house.work = stay
    async with open_house(house) as visitor:
        watching = [asyncio.create_task(visitor.watch()) for _ in range(PoolLimits().waiting)]
        for _ in watching:
            await asyncio.wait_for(inside.acquire(), PATIENCE)

        told = await refused(visitor.watch())

        assert (told.code(), details_of(told)[0].reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        door.opened.set()
        assert {len(each) for each in await asyncio.gather(*watching)} == {2}
    assert handled("WatchRun", "RESOURCE_EXHAUSTED") == before + 1


async def test_work_whose_caller_waits_no_more_is_not_begun() -> None:
    house = House("threads")
    async with open_house(house) as visitor:
        threads = PoolLimits().threads
        door, staying = await occupied(visitor, house, threads)
        begun: list[int] = []

        async def note() -> None:
            begun.append(1)

        house.work = note
        stub: Any = visitor.channel.unary_unary(PATH)
        late = await refused(stub(b"", timeout=0.1))
        door.opened.set()
        await asyncio.gather(*staying)
        house.work = House().work
        assert await calls_well(visitor)

    assert (late.code(), begun) == (grpc.StatusCode.DEADLINE_EXCEEDED, [])


async def test_work_ends_at_our_own_deadline_where_the_caller_has_none() -> None:
    house, door = House("threads"), Door()
    house.work, house.patience = door.stay, timedelta(seconds=0.1)
    async with open_house(house) as visitor:
        stub: Any = visitor.channel.unary_unary(PATH)

        assert (await refused(stub(b""))).code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_metadata_beyond_the_limit_is_refused(house: House) -> None:
    async with open_house(house) as visitor:
        call: Any = visitor.channel.unary_unary(PATH)

        told = await refused(call(b"", metadata=[("x-much", "x" * 20_000)], timeout=PATIENCE))

        assert told.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await calls_well(visitor)


async def test_a_client_that_pings_all_the_time_is_sent_away(house: House) -> None:
    async with open_house(house) as visitor:
        with rude_clients(visitor.port, 1) as (client,):
            for _ in range(20):
                client.ping()

            assert b"too_many_pings" in await asyncio.to_thread(client.until, GOAWAY)
        assert await calls_well(visitor)


async def test_connections_beyond_the_limit_are_closed(house: House) -> None:
    async with open_house(house, max_connections=3) as visitor:
        assert await calls_well(visitor, 1)
        with rude_clients(visitor.port, 6) as clients:
            assert await asyncio.to_thread(clients[-1].is_closed)
            assert await calls_well(visitor)


async def test_http_1_is_refused(house: House) -> None:
    def ask(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as old:
            old.sendall(b"GET / HTTP/1.1\r\nHost: house\r\n\r\n")
            answer = b""
            with suppress(ConnectionError):
                while part := old.recv(4096):
                    answer += part
            return answer

    async with open_house(house) as visitor:
        answer = await asyncio.to_thread(ask, visitor.port)

        assert b" 200" not in answer
        assert await calls_well(visitor)


async def test_watchers_of_health_have_an_end_and_its_checks_do_not(house: House) -> None:
    most = 2 * PoolLimits().waiting
    async with open_house(house, max_connections=most) as visitor:
        stub: Any = health_pb2_grpc.HealthStub(visitor.channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(most)]
        for watch in watches:
            await watch.read()

        told = await refused(stub.Watch(health_pb2.HealthCheckRequest()).read())

        # To a client that balances by health this is a server that serves.
        assert told.code() == grpc.StatusCode.UNIMPLEMENTED
        assert await health_of(visitor) == SERVING
        assert await calls_well(visitor)

        watches[0].cancel()
        async with asyncio.timeout(PATIENCE):
            while await _is_refused(stub.Watch(health_pb2.HealthCheckRequest())):  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.05)


async def test_a_watcher_of_health_that_reads_nothing_keeps_the_news_from_nobody(house: House) -> None:
    async with open_house(house) as visitor:
        rude = await asyncio.to_thread(RudeClient, visitor.port, window=0)
        await asyncio.to_thread(rude.settle)
        request = health_pb2.HealthCheckRequest(service=UNARY)
        for _ in range(3):
            await asyncio.to_thread(rude.ask, "/grpc.health.v1.Health/Watch", request.SerializeToString())
        # Of an answer that is on its way, to one who takes none.
        await asyncio.to_thread(rude.until, HEADERS)
        assert await calls_well(visitor)
        assert await health_of(visitor, UNARY) == SERVING

        house.ready = fails_with(Unavailable("away"))

        async with asyncio.timeout(PATIENCE):
            while await health_of(visitor, UNARY) == SERVING:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.05)
        rude.close()


async def _is_refused(watch: Any) -> bool:
    try:
        await watch.read()
    except grpc.aio.AioRpcError:
        return True
    return False
