"""`python -m bench.serving.echo_process KIND BYTES`: a bare server of gRPC, the floor: bytes in, `BYTES` of bytes out.

No interceptor, no health, no protobuf: what the transport itself takes. It prints its port. `aio`, `threads` and
`inline` are grpcio's own servers; `ours` takes its calls as the recommender does.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc import _server as inside
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from services.runtime.call_loop import CallLoop
from services.runtime.unary_call import UnaryCall, UnaryMethod

SERVICE, METHOD = "bench.Echo", "Call"
PATH = f"/{SERVICE}/{METHOD}"
KINDS = ("aio", "threads", "inline")
OURS = "ours"
THREADS = 8


class Inline:
    """In the place of grpc.server's pool: a call's message is an event, upon which its handler runs where that came."""

    def submit(
        self, run: Callable[..., Any], in_pool: Any, event: Any, state: Any, handler: Any, _: Any, *codecs: Any
    ) -> None:
        """What grpcio calls for each call."""
        receive = inside._receive_message(state, event.call, codecs[0])

        def received(message: Any) -> Any:
            outcome = receive(message)
            request, state.request = state.request, None
            run(in_pool, event, state, handler, lambda: request, *codecs)
            return outcome

        event.call.start_server_batch((cygrpc.ReceiveMessageOperation(0),), received)
        state.due.add(inside._RECEIVE_MESSAGE_TOKEN)


def serve_sync(pool: Any, answer: bytes) -> None:
    """Until SIGTERM."""
    server = grpc.server(pool)
    handler: Any = grpc.unary_unary_rpc_method_handler(lambda request, context: answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    _stop_at_sigterm(server)


def serve_ours(answer: bytes) -> None:
    """Until SIGTERM."""
    server = grpc.server(ThreadPoolExecutor(1))
    handler: Any = grpc.unary_unary_rpc_method_handler(lambda request, context: answer)
    server.add_registered_method_handlers(SERVICE, {METHOD: handler})
    method: Any = UnaryMethod(handler.unary_unary, bytes, bytes)
    loop = CallLoop(server, {PATH: method}, lambda call: call.ask_for_request(UnaryCall.answer), lambda: None)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    loop.start()
    _stop_at_sigterm(server)


def _stop_at_sigterm(server: grpc.Server) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()
    server.stop(None).wait()


async def serve_aio(answer: bytes) -> None:
    """Until SIGTERM."""

    async def call(request: bytes, context: Any) -> bytes:
        return answer

    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(call)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(None)


def main(kind: str, size: int) -> None:
    """Serves."""
    answer = bytes(size)
    if kind == "aio":
        asyncio.run(serve_aio(answer))
    elif kind == OURS:
        serve_ours(answer)
    else:
        serve_sync(Inline() if kind == "inline" else ThreadPoolExecutor(THREADS), answer)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
