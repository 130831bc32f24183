"""`python -m tests.serving.hostile_process KIND PORT SECONDS`: a client that does one kind of harm, as much as it can.

It runs in a process of its own, so that a polite client beside it is slow only when the server is, and tells at the end
what it has done, as JSON: connections, what was sent, how calls ended. Being refused is what it must expect.
"""

import contextlib
import json
import resource
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, cast

import grpc

from afin.recommender.v1 import recommender_pb2 as pb
from bench.serving import frames

HOST = "127.0.0.1"
SERVICE = "/afin.recommender.v1.RecommenderService"
RECOMMEND, BATCH = f"{SERVICE}/Recommend", f"{SERVICE}/BatchRecommend"
SILENT = 3_000
STREAMS = 200
THREADS = 4
PAUSE_SECONDS = 0.01
MIB = 1024 * 1024
Done = Counter[str]


def silent(port: int, until: float, done: Done) -> None:
    """Connections that say nothing."""
    with _connections(port, done, SILENT):
        _sleep(until)


def headers_only(port: int, until: float, done: Done) -> None:
    """Calls whose requests never come."""
    while time.monotonic() < until:
        with _connections(port, done, 10) as opened:
            for each in opened:
                _send(each, done, frames.opening() + b"".join(_call_begun(number) for number in range(STREAMS)))
            time.sleep(min(2.0, max(0.0, until - time.monotonic())))


def slow_readers(port: int, until: float, done: Done) -> None:
    """Calls for large answers that nobody takes."""
    batch = pb.BatchRecommendRequest(
        requests=[pb.RecommendRequest(client_id=f"{n}", max_results=20) for n in range(100)]
    )
    request = frames.message(batch.SerializeToString())
    while time.monotonic() < until:
        with _connections(port, done, 50) as opened:
            for each in opened:
                _send(each, done, frames.opening(window=1))
                for number in range(10):
                    body = frames.frame(frames.DATA, frames.END_STREAM, 2 * number + 1, request)
                    _send(each, done, _call_begun(number, BATCH) + body)
            time.sleep(min(2.0, max(0.0, until - time.monotonic())))


def large_requests(port: int, until: float, done: Done) -> None:
    """5 MiB each."""
    request = pb.RecommendRequest(client_id="x" * (5 * MIB)).SerializeToString()
    _keep_calling(port, until, done, lambda call: call(request, timeout=5))


def large_metadata(port: int, until: float, done: Done) -> None:
    """20 KB each."""
    _keep_calling(port, until, done, lambda call: call(_small(), timeout=5, metadata=(("x-note", "x" * 20_000),)))


def short_deadlines(port: int, until: float, done: Done) -> None:
    """1 ms each."""
    _keep_calling(port, until, done, lambda call: call(_small(), timeout=0.001))


def pings(port: int, until: float, done: Done) -> None:
    """A ping a second on each of many connections that carry no call; whoever is sent away comes again."""
    ping = frames.frame(frames.PING, 0, 0, bytes(8))
    while time.monotonic() < until:
        with _connections(port, done, 100) as opened:
            for each in opened:
                _send(each, done, frames.opening())
            for _ in range(5):
                for each in opened:
                    _send(each, done, ping)
                time.sleep(min(1.0, max(0.0, until - time.monotonic())))


def http1(port: int, until: float, done: Done) -> None:
    """Requests of another protocol."""
    while time.monotonic() < until:
        with _connections(port, done, 20) as opened:
            for each in opened:
                _send(each, done, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(PAUSE_SECONDS)


def garbage(port: int, until: float, done: Done) -> None:
    """Bytes of no protocol, and frames that break HTTP/2."""
    broken = [bytes(range(256)) * 64, frames.opening() + struct.pack(">BHBBI", 255, 65535, 0, 0, 1), frames.PREFACE * 3]
    while time.monotonic() < until:
        for content in broken:
            with _connections(port, done, 10) as opened:
                for each in opened:
                    _send(each, done, content)
        time.sleep(PAUSE_SECONDS)


def wrong_authority(port: int, until: float, done: Done) -> None:
    """TLS that trusts none of the server's certificates."""
    target = f"{HOST}:{port}"
    while time.monotonic() < until:
        with grpc.secure_channel(target, grpc.ssl_channel_credentials()) as channel:
            call: Any = channel.unary_unary(RECOMMEND)
            done[_ending(lambda: call(_small(), timeout=0.5))] += 1  # noqa: B023 - called at once


KINDS: dict[str, Callable[[int, float, Done], None]] = {
    "silent": silent,
    "headers_only": headers_only,
    "slow_readers": slow_readers,
    "large_requests": large_requests,
    "large_metadata": large_metadata,
    "short_deadlines": short_deadlines,
    "pings": pings,
    "http1": http1,
    "garbage": garbage,
}
# On a port with TLS. What speaks HTTP/2 or HTTP/1.1 in plaintext, or nothing, is hostile there as well.
TLS_KINDS: dict[str, Callable[[int, float, Done], None]] = {
    "tls_silent": silent,
    "tls_plaintext": headers_only,
    "tls_http1": http1,
    "tls_wrong_authority": wrong_authority,
}
# What each must have done, and how often at least: a client that was kept out before it did harm shows nothing.
LEAST = {
    "silent": ("connected", SILENT),
    "headers_only": ("sent", 10),
    "slow_readers": ("sent", 500),
    "large_requests": ("RESOURCE_EXHAUSTED", 1),
    "large_metadata": ("RESOURCE_EXHAUSTED", 1),
    "short_deadlines": ("DEADLINE_EXCEEDED", 1),
    "pings": ("sent", 300),
    "http1": ("sent", 20),
    "garbage": ("sent", 20),
    "tls_silent": ("connected", SILENT),
    "tls_plaintext": ("sent", 10),
    "tls_http1": ("sent", 20),
    "tls_wrong_authority": ("UNAVAILABLE", 1),
}


@contextlib.contextmanager
def _connections(port: int, done: Done, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            try:
                each = socket.create_connection((HOST, port), timeout=2)
            except OSError as error:
                done[type(error).__name__] += 1
            else:
                done["connected"] += 1
                opened.append(stack.enter_context(each))
        yield opened


def _send(connection: socket.socket, done: Done, content: bytes) -> None:
    try:
        connection.sendall(content)
    except OSError as error:
        done[type(error).__name__] += 1
    else:
        done["sent"] += 1


def _call_begun(number: int, path: str = RECOMMEND) -> bytes:
    """The headers of a connection's call, the first of which fills the table."""
    first, later = frames.request_headers(path, HOST, {})
    return frames.frame(frames.HEADERS, frames.END_HEADERS, 2 * number + 1, later if number else first)


def _keep_calling(port: int, until: float, done: Done, make: Callable[[Any], object]) -> None:
    def work() -> None:
        options = (("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1))
        with grpc.insecure_channel(f"{HOST}:{port}", options=options) as channel:
            call: Any = channel.unary_unary(RECOMMEND)
            while time.monotonic() < until:
                done[_ending(lambda: make(call))] += 1
                time.sleep(PAUSE_SECONDS)

    with ThreadPoolExecutor(THREADS) as pool:
        for working in [pool.submit(work) for _ in range(THREADS)]:
            working.result()


def _ending(call: Callable[[], object]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return str(cast("grpc.Call", error).code().name)
    return "OK"


def _small() -> bytes:
    return pb.RecommendRequest(client_id="client-1", max_results=5).SerializeToString()


def _sleep(until: float) -> None:
    threading.Event().wait(max(0.0, until - time.monotonic()))


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found: Done = Counter()
    {**KINDS, **TLS_KINDS}[sys.argv[1]](int(sys.argv[2]), time.monotonic() + float(sys.argv[3]), found)
    print(json.dumps(found))
