"""Servers as processes of their own, on cores of their own, and what they use."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from afin.recommender.v1 import recommender_pb2 as pb

READY_SECONDS = 120.0
LOOK_SECONDS = 0.02
STOP_SECONDS = 30.0
RECOMMENDER = pb.DESCRIPTOR.services_by_name["RecommenderService"].full_name


class NotServingError(Exception):
    """A server ended or did not become ready; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB: resident; the same with its share alone of what others hold too; and what is its own, no page of a file."""

    rss: float
    pss: float
    private: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `ready_seconds`: from its start to its first answer."""

    process: psutil.Process
    port: int
    ready_seconds: float

    def cpu_seconds(self) -> float:
        """Of the server and its children."""
        return sum(sum(one.cpu_times()[:2]) for one in self._all())

    def memory(self) -> Memory:
        """Of the server and its children together."""
        return memory_of(self._all())

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def memory_of(processes: Sequence[psutil.Process]) -> Memory:
    """Of all of them together."""
    found = [astuple(_memory(one.pid)) for one in processes]
    return Memory(*(round(sum(values), 1) for values in zip(*found, strict=True)))


def cores() -> tuple[list[int], int]:
    """Those for servers, and the one for the load; the same one where there is no other."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[:-1] or mine, mine[-1]


@contextmanager
def echo(kind: str, size: int, core: int) -> Iterator[Server]:
    """A bare server that answers with `size` bytes."""
    command = [sys.executable, "-m", "bench.serving.echo_process", kind, str(size)]
    with _running(command, {}, [core], subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(psutil.Process(process.pid), int(process.stdout.readline()), 0.0)


@contextmanager
def recommender(
    objects: Path, cache: Path, on: Sequence[int], settings: dict[str, str] | None = None
) -> Iterator[Server]:
    """The service over a store in a folder, from when it can answer; it looks for no newer index meanwhile."""
    own = {
        "OBJECT_STORE_URL": objects.as_uri(),
        "CACHE_FOLDER": str(cache),
        "RELOAD_SECONDS": "3600",
        **(settings or {}),
    }
    log = cache.with_suffix(".log")
    begun = time.perf_counter()
    command = [sys.executable, "-m", "services.recommender"]
    with log.open("w") as written:
        environment = {f"RECOMMENDER_{name}": value for name, value in own.items()}
        with _running(command, environment, on, written.fileno()) as process:
            port = _port(process, log, int(own.get("PROCESSES", "1")))
            _wait_ready(process, port, log)
            yield Server(psutil.Process(process.pid), port, time.perf_counter() - begun)


@contextmanager
def _running(
    command: list[str], settings: dict[str, str], on: Sequence[int], out: int
) -> Iterator["subprocess.Popen[str]"]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECOMMENDER_")}
    process = subprocess.Popen(command, env=inherited | settings, stdout=out, text=True)
    psutil.Process(process.pid).cpu_affinity(list(on))  # the threads and children that it will have inherit it
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _port(process: "subprocess.Popen[str]", log: Path, listeners: int) -> int:
    """As the service's log tells it, when so many of its processes listen."""
    until = time.perf_counter() + READY_SECONDS
    while time.perf_counter() < until and process.poll() is None:
        lines = [line for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        ports = [told["port"] for told in map(json.loads, lines) if told.get("event") == "gRPC listening"]
        if len(ports) >= listeners:
            return int(ports[0])
        time.sleep(LOOK_SECONDS)
    raise NotServingError(_end_of(log))


def _wait_ready(process: "subprocess.Popen[str]", port: int, log: Path) -> None:
    until = time.perf_counter() + READY_SECONDS
    request = health_pb2.HealthCheckRequest(service=RECOMMENDER)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)  # its types leave Check out
        while time.perf_counter() < until and process.poll() is None:
            try:
                if health.Check(request, timeout=1).status == health_pb2.HealthCheckResponse.SERVING:
                    return
            except grpc.RpcError:
                pass
            time.sleep(LOOK_SECONDS)
    raise NotServingError(_end_of(log))


def _memory(pid: int) -> Memory:
    """https://docs.kernel.org/filesystems/proc.html, smaps_rollup"""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(value.split()[0]) for name, value in (line.split(":", 1) for line in lines)}
    return Memory(kib["Rss"] / 1024, kib["Pss"] / 1024, kib["Private_Dirty"] / 1024)


def _end_of(log: Path) -> str:
    return "the recommender did not become ready; the end of its log:\n" + "\n".join(log.read_text().splitlines()[-10:])
