"""One recommender as an orchestrator runs it: started, told to stop, started again on the same port."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc
from services.recommender.servicer import FULL_NAME
from tests.serving.world import World, free_port

READY_SECONDS = 120
LOOK_SECONDS = 0.02
STOP_SECONDS = 40


class ReplicaError(Exception):
    """It ended by itself, did not become ready, or did not stop as it should."""


@dataclass
class Replica:
    """A process of the service over the store of a world."""

    world: World
    folder: Path
    port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    _process: Process | None = None

    @property
    def address(self) -> str:
        """host:port"""
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> psutil.Process:
        """The one that runs now."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    async def start(self) -> float:
        """Returns when it is ready: after how many seconds."""
        begun = monotonic()
        own = {
            "OBJECT_STORE_URL": self.world.objects.as_uri(),
            "CACHE_FOLDER": str(self.folder / f"cache-{self.port}"),
            "PORT": str(self.port),
            "RELOAD_SECONDS": "0.2",
            **self.settings,
        }
        environment = {f"RECOMMENDER_{name}": value for name, value in own.items()}
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.recommender", env=os.environ | environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(READY_SECONDS):
            while not await self.is_ready():
                if self._process.returncode is not None:
                    raise ReplicaError(f"ended by itself with {self._process.returncode}; see {self.log}")
                await asyncio.sleep(LOOK_SECONDS)
        return monotonic() - begun

    async def stop(self) -> float:
        """SIGTERM; seconds until its end, which must be with exit code 0."""
        assert self._process is not None
        begun = monotonic()
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            code = await self._process.wait()
        if code:
            raise ReplicaError(f"left with exit code {code}; see {self.log}")
        return monotonic() - begun

    def kill(self) -> None:
        """If it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    @property
    def log(self) -> Path:
        """Of all its lives."""
        return self.folder / f"recommender-{self.port}.log"

    async def is_ready(self) -> bool:
        """By its health."""
        answer = await self._asked(_check)
        return answer is not None and answer.status == health_pb2.HealthCheckResponse.SERVING

    async def epoch(self) -> int:
        """That it serves; 0 while it cannot tell."""
        answer = await self._asked(_information)
        return answer.index.epoch if answer else 0

    async def serves(self, epoch: int) -> None:
        """Waits until it does."""
        until = monotonic() + READY_SECONDS
        while await self.epoch() < epoch:
            if monotonic() > until:
                raise ReplicaError(f"does not serve epoch {epoch}; see {self.log}")
            await asyncio.sleep(LOOK_SECONDS)

    async def _asked(self, call: Any) -> Any:
        try:
            async with grpc.aio.insecure_channel(self.plain_address) as channel:
                return await call(channel)
        except grpc.aio.AioRpcError:
            return None

    @property
    def plain_address(self) -> str:
        """Where health and information can be had without TLS."""
        return f"127.0.0.1:{self.settings.get('HEALTH_PORT', self.port)}"


async def _check(channel: grpc.aio.Channel) -> Any:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return await stub.Check(health_pb2.HealthCheckRequest(service=FULL_NAME), timeout=2)


async def _information(channel: grpc.aio.Channel) -> Any:
    return await rpc.RecommenderServiceStub(channel).GetIndexInfo(pb.GetIndexInfoRequest(), timeout=2)


@asynccontextmanager
async def running(*replicas: Replica) -> AsyncIterator[None]:
    """All of them, from when they are ready."""
    try:
        await asyncio.gather(*(replica.start() for replica in replicas))
        yield
        await asyncio.gather(*(replica.stop() for replica in replicas))
    finally:
        for replica in replicas:
            replica.kill()
