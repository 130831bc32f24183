"""What a handler of a thread server is told of its call, and calls that end in another way than by an answer."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from services.runtime.lanes import quick
from services.runtime.server import GrpcService, thread_server
from tests.integration.runtime.house import settings_of

PATIENCE = 20
Behaviour = Callable[[Any, grpc.ServicerContext], bytes]


def unreadable(content: bytes) -> bytes:
    """As a message that is none."""
    if content == b"no message":
        raise ValueError(content)
    return content


class Told:
    """Answers by `behaviour`: Quick in the polling thread, Work in another."""

    def __init__(self, port: int) -> None:
        self.behaviour: Behaviour = lambda request, context: b"answer"
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_retries", 0)])

    def ask(self, method: str, content: bytes = b"", **options: Any) -> Any:
        """A call under way."""
        ask: Any = self.channel.unary_unary(f"/test.Told/{method}")
        return ask(content, timeout=PATIENCE, **options)


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    """Leaving it waits for the server's end, which comes when no call is left in its books."""

    def work(request: bytes, context: grpc.ServicerContext) -> bytes:
        return found.behaviour(request, context)

    @quick
    def at_once(request: bytes, context: grpc.ServicerContext) -> bytes:
        return found.behaviour(request, context)

    handlers: dict[str, Any] = {
        "Quick": grpc.unary_unary_rpc_method_handler(at_once, unreadable),
        "Work": grpc.unary_unary_rpc_method_handler(work, unreadable),
    }

    async def ready() -> None:
        return

    service = GrpcService(
        "test.Told", lambda server: server.add_registered_method_handlers("test.Told", handlers), ready
    )
    async with thread_server([service], settings_of()) as port:
        found = Told(port)
        yield found
        await found.channel.close()


@pytest.mark.parametrize("method", ["Quick", "Work"])
async def test_the_context_tells_of_the_caller_and_takes_what_the_status_says(told: Told, method: str) -> None:
    seen: dict[str, Any] = {}

    def look(request: bytes, context: Any) -> bytes:
        seen.update(
            peer=context.peer(),
            left=context.time_remaining(),
            metadata=dict(context.invocation_metadata()),
            auth=context.auth_context(),
            active=context.is_active(),
        )
        context.set_trailing_metadata((("told", "by the handler"),))
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_details("nothing, naïvely")
        return b""

    told.behaviour = look
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await told.ask(method, metadata=(("asked-by", "a test"),))

    assert seen["peer"].startswith("ipv4:127.0.0.1:")
    assert 0 < seen["left"] < PATIENCE + 1  # by a clock that may be set right meanwhile
    assert seen["metadata"]["asked-by"] == "a test"
    assert seen["active"]
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "nothing, naïvely"
    assert ("told", "by the handler") in tuple(caught.value.trailing_metadata() or ())


@pytest.mark.parametrize("method", ["Quick", "Work"])
async def test_a_request_that_is_no_message_fails_alone(told: Told, method: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="not the message"):
        await told.ask(method, b"no message")

    assert await told.ask(method) == b"answer"


async def test_work_learns_that_its_caller_has_gone(told: Told) -> None:
    entered, seen = threading.Event(), threading.Event()

    def watch(request: bytes, context: Any) -> bytes:
        context.add_callback(seen.set)
        entered.set()
        assert seen.wait(PATIENCE)
        return b"active" if context.is_active() else b""

    told.behaviour = watch
    call = told.ask("Work")
    await asyncio.to_thread(entered.wait, PATIENCE)
    call.cancel()

    assert await asyncio.to_thread(seen.wait, PATIENCE)


async def test_a_call_that_is_cancelled_before_its_request_is_not_left_in_the_books(told: Told) -> None:
    async def never() -> AsyncIterator[bytes]:
        await asyncio.sleep(PATIENCE)
        yield b""

    ask: Any = told.channel.stream_unary("/test.Told/Quick")
    call = ask(never(), timeout=PATIENCE)
    assert await told.ask("Quick") == b"answer"  # the headers of the other have come by now
    call.cancel()

    assert await told.ask("Quick") == b"answer"


def _ends_the_thread(request: bytes, context: Any) -> bytes:
    raise SystemExit(1)


def _tells_what_cannot_be_sent(request: bytes, context: Any) -> bytes:
    context.set_trailing_metadata((("NOT A KEY", "value"),))
    return b"answer"


def _tells_no_text(request: bytes, context: Any) -> bytes:
    context.set_code(grpc.StatusCode.NOT_FOUND)
    context.set_details("\udcff")
    return b""


@pytest.mark.parametrize("method", ["Quick", "Work"])
@pytest.mark.parametrize(
    "behaviour",
    [_ends_the_thread, _tells_what_cannot_be_sent, _tells_no_text, lambda request, context: "no bytes"],
)
async def test_a_bug_in_a_handler_ends_its_call_and_no_other(told: Told, behaviour: Behaviour, method: str) -> None:
    told.behaviour = behaviour
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await told.ask(method)
    told.behaviour = lambda request, context: b"answer"

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert await told.ask(method) == b"answer"


async def test_a_bug_in_a_callback_ends_nothing(told: Told) -> None:
    entered, seen = threading.Event(), threading.Event()

    def fail() -> None:
        seen.set()
        raise ValueError

    def watch(request: bytes, context: Any) -> bytes:
        context.add_callback(fail)
        entered.set()
        assert seen.wait(PATIENCE)
        return b""

    told.behaviour = watch
    call = told.ask("Work")
    await asyncio.to_thread(entered.wait, PATIENCE)
    call.cancel()
    await asyncio.to_thread(seen.wait, PATIENCE)
    told.behaviour = lambda request, context: b"answer"

    assert await told.ask("Quick") == b"answer"


async def test_calls_that_end_in_every_way_leave_nothing_behind(told: Told) -> None:
    """The fixture waits for the server's end, which comes only when each of them is over."""
    chance = random.Random(7)  # noqa: S311 - not a secret

    async def requests(count: int, pause: float) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b""
        await asyncio.sleep(pause)

    def begin() -> Any:
        path = f"/test.Told/{chance.choice(['Quick', 'Work'])}"
        if chance.random() < 0.5:
            ask: Any = told.channel.unary_unary(path)
            return ask(b"", timeout=chance.choice([0.001, PATIENCE]))
        stream: Any = told.channel.stream_unary(path)
        return stream(requests(chance.randrange(3), chance.choice([0, PATIENCE])), timeout=chance.choice([0.01, 0.2]))

    for _ in range(10):
        calls = [begin() for _ in range(40)]
        await asyncio.wait([asyncio.ensure_future(calls[0])], timeout=0.01)
        for call in chance.sample(calls, 20):
            call.cancel()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*calls, return_exceptions=True)

    assert [await told.ask(method) for method in ("Quick", "Work")] == [b"answer"] * 2
