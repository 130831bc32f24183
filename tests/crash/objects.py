"""A real S3 server behind a proxy that fails as real ones do: refusals, cut bodies, and writes whose answer is lost."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import aiohttp
import boto3
from aiohttp import web
from moto.server import ThreadedMotoServer
from yarl import URL

from services.runtime.objects.s3 import S3ObjectStore

BUCKET = "lake"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
FAULTS = ("500", "503", "slow", "cut", "lost")
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "server", "date"}
SLOW_SECONDS = 1.0


@dataclass
class FaultyStore:
    """`faults`: what happens to the next requests, one each; then all are answered well.

    `store`: what lies below a prefix, past every fault.
    """

    url: str
    session: aiohttp.ClientSession
    store: Callable[[str], S3ObjectStore]
    endpoint: str = ""
    faults: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request, passed on unless it is refused."""
        fault = self.faults.pop(0) if self.faults else ""
        if fault.isdecimal():
            return web.Response(status=int(fault), text="<Error><Code>InternalError</Code></Error>")
        if fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        target = URL(self.url + request.raw_path, encoded=True)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        body = await request.read()
        async with self.session.request(request.method, target, headers=headers, data=body) as answered:
            content, status = await answered.read(), answered.status
            kept = {name: value for name, value in answered.headers.items() if name.lower() not in HOP_BY_HOP}
        if fault == "lost":
            return _hang_up(request)
        if fault == "cut" and len(content) > 1:
            return await _half_of(request, content, kept)
        response = web.Response(status=status, body=content, headers=kept)
        if request.method == "HEAD":
            response.content_length = int(answered.headers.get("Content-Length", 0))
        return response


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _half_of(request: web.Request, content: bytes, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={**headers, "Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    return _hang_up(request)


@asynccontextmanager
async def faulty_store() -> AsyncIterator[FaultyStore]:
    """With an empty bucket, until the context is left."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    # Of killed clients, and of every request.
    for name in ("aiohttp.server", "werkzeug"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.create_bucket(Bucket=BUCKET)
    # Servers of one process share their objects.
    left = S3ObjectStore(client, BUCKET)
    for info in list(left.list("")):
        left.delete(info.key)
    application = web.Application(client_max_size=64 * 1024 * 1024)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        store = FaultyStore(url, session, partial(S3ObjectStore, client, BUCKET))
        application.router.add_route("*", "/{path:.*}", store.answer)
        runner = web.AppRunner(application, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        store.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield store
        finally:
            await runner.cleanup()
            client.close()
            server.stop()
