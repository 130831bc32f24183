"""`python -m services.recommender` as a separate process: settings, signals, logs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import client_of, publish_world

COMMAND = [sys.executable, "-m", "services.recommender"]
STOP_SECONDS = 30


@dataclass
class Running:
    """A process that listens on `port`; `logged` holds the lines read so far."""

    process: subprocess.Popen[str]
    port: int
    logged: list[str]

    def stop(self, number: signal.Signals) -> int:
        """Sends a signal; the exit code, with all that was logged read."""
        assert self.process.stdout is not None
        self.process.send_signal(number)
        self.logged.extend(self.process.stdout)
        return self.process.wait(STOP_SECONDS)


def environment(**settings: str) -> dict[str, str]:
    """Ours without its RECOMMENDER_ settings, and with these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECOMMENDER_")}
    return inherited | {f"RECOMMENDER_{name}": value for name, value in settings.items()}


@contextmanager
def running(folder: Path, **more: str) -> Iterator[Running]:
    """A recommender whose store and cache lie in `folder`, from when it listens; `more` settings."""
    settings = environment(OBJECT_STORE_URL=f"file://{folder / 'objects'}", CACHE_FOLDER=str(folder / "cache"), **more)
    with subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=settings
    ) as process:
        assert process.stdout is not None
        logged: list[str] = []
        try:
            while '"gRPC listening"' not in "".join(logged[-1:]):
                logged.append(process.stdout.readline())
                assert logged[-1], "".join(logged)
            yield Running(process, json.loads(logged[-1])["port"], logged)
        finally:
            process.kill()


def test_it_serves_and_leaves_with_0_on_sigterm(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=1)
    with running(tmp_path) as recommender, grpc.insecure_channel(f"127.0.0.1:{recommender.port}") as channel:
        stub = rpc.RecommenderServiceStub(channel)
        stub.ReloadIndex(pb.ReloadIndexRequest(), timeout=20)
        answer = stub.Recommend(pb.RecommendRequest(client_id=client_of(0), max_results=5), timeout=20)
        code = recommender.stop(signal.SIGTERM)

    assert len(answer.recommendations) == 5
    assert code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_with_0_while_its_store_is_away(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as recommender:
        code = recommender.stop(number)

    assert code == 0


def test_it_lives_while_its_store_is_away(tmp_path: Path) -> None:
    with running(tmp_path) as recommender, grpc.insecure_channel(f"127.0.0.1:{recommender.port}") as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        alive = check(health_pb2.HealthCheckRequest(), timeout=20)

    assert alive.status == health_pb2.HealthCheckResponse.SERVING


def test_no_client_id_is_logged(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=1)
    with running(tmp_path) as recommender, grpc.insecure_channel(f"127.0.0.1:{recommender.port}") as channel:
        stub = rpc.RecommenderServiceStub(channel)
        stub.ReloadIndex(pb.ReloadIndexRequest(), timeout=20)
        for max_results in (0, 5):
            request = pb.RecommendRequest(client_id="a-secret-client", max_results=max_results)
            try:
                stub.Recommend(request, timeout=20)
            except grpc.RpcError:
                assert max_results == 0
        recommender.stop(signal.SIGTERM)

    assert any("call refused" in line for line in recommender.logged)
    assert not any("a-secret-client" in line for line in recommender.logged)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "RECOMMENDER_OBJECT_STORE_URL"),
        ({"OBJECT_STORE_URL": "file:///x", "RELOAD_SECOND": "5"}, "unknown: RECOMMENDER_RELOAD_SECOND"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(settings: dict[str, str], named: str) -> None:
    ended = subprocess.run(
        COMMAND, env=environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith("recommender: wrong settings: ")
    assert len(ended.stderr.splitlines()) == 1
    assert named in ended.stderr
    assert ended.stdout == ""
