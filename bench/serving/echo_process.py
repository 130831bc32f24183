"""`python -m bench.serving.echo_process KIND BYTES`: a bare server of gRPC, the floor: bytes in, `BYTES` of bytes out.

No interceptor, no health, no protobuf: what the transport itself takes. It prints its port.
"""

import asyncio
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

SERVICE, METHOD = "bench.Echo", "Call"
PATH = f"/{SERVICE}/{METHOD}"
KINDS = ("aio", "threads")
THREADS = 8


def serve_sync(answer: bytes) -> None:
    """Until SIGTERM."""
    server = grpc.server(ThreadPoolExecutor(THREADS))
    handler: Any = grpc.unary_unary_rpc_method_handler(lambda request, context: answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
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
    else:
        serve_sync(answer)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
