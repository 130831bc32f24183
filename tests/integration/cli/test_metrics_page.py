"""`afin doctor` before an address that answers with something other than metrics."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.findings import Level
from cli.metrics_checks import check_metrics
from cli.profiles import SERVICES, Profile

NOBODY = "127.0.0.1:1"


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of a server that says this, whatever it is asked."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer",
    [
        b"no HTTP at all\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<!doctype html><html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff",
        b"HTTP/1.1 200 OK\r\nDate: some day\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_what_is_no_page_of_metrics_is_told_as_not_seen(answer: bytes) -> None:
    with answering(answer) as address:
        found = await check_metrics(Profile(metrics=dict.fromkeys(SERVICES, NOBODY) | {"ingest": address}))

    assert [finding.level for finding in found] == [Level.SKIPPED] * len(SERVICES)
    assert found[0].found == f"not seen: {address} gives no metrics from here"
