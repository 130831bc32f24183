"""`RECOMMENDER_PROCESSES=2`: two processes on one port, one parent over them."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc
from services.runtime.channels import channel_options
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import client_of, publish_world

COMMAND = [sys.executable, "-m", "services.recommender"]
PATIENCE = 60


@dataclass
class Family:
    """A parent and what it and its children log."""

    process: subprocess.Popen[str]
    lines: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def until(self, event: str) -> dict[str, Any]:
        """The next line that tells of this event."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line["event"] == event:
                return line

    def _read(self) -> None:
        """Takes in what is logged, to its end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))


@contextmanager
def family(folder: Path, **settings: str) -> Iterator[Family]:
    """Two processes and their parent; they may not listen yet."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECOMMENDER_")}
    ours = {
        "RECOMMENDER_OBJECT_STORE_URL": f"file://{folder / 'objects'}",
        "RECOMMENDER_CACHE_FOLDER": str(folder / "cache"),
        "RECOMMENDER_PROCESSES": "2",
    }
    environment = inherited | ours | settings
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, env=environment) as process:
        found = Family(process)
        try:
            yield found
        finally:
            process.kill()
            found.reader.join(PATIENCE)


def ask(port: int, times: int) -> None:
    """So many recommendations, each on a connection of its own; the retry policy is ours."""
    options = (*channel_options(f"127.0.0.1:{port}"), ("grpc.use_local_subchannel_pool", 1))
    for _ in range(times):
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            stub = rpc.RecommenderServiceStub(channel)
            answer = stub.Recommend(pb.RecommendRequest(client_id=client_of(0), max_results=5), timeout=PATIENCE)
        assert len(answer.recommendations) == 5


def metric(port: int, start: str) -> float:
    """The sum of the samples whose line begins so."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))


def test_two_processes_share_a_port_and_a_page_of_metrics(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=3)
    with family(tmp_path) as recommenders:
        metrics = recommenders.until("metrics listening")["port"]
        ports = {recommenders.until("gRPC listening")["port"] for _ in range(2)}
        (port,) = ports
        ask(port, 20)

        assert metric(metrics, 'grpc_server_handled_total{grpc_code="OK",grpc_method="Recommend"') == 20
        assert metric(metrics, "afin_recommender_index_epoch") == 3
        assert metric(metrics, "afin_processes_running") == 2

        recommenders.process.send_signal(signal.SIGTERM)
        assert recommenders.process.wait(PATIENCE) == 0


def test_a_process_that_dies_is_replaced(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=3)
    with family(tmp_path) as recommenders:
        metrics = recommenders.until("metrics listening")["port"]
        victim = recommenders.until("process started")["child"]
        _, port = (recommenders.until("gRPC listening")["port"] for _ in range(2))

        os.kill(victim, signal.SIGKILL)
        assert recommenders.until("process ended")["code"] == -signal.SIGKILL
        recommenders.until("gRPC listening")
        ask(port, 10)

        assert metric(metrics, "afin_process_restarts_total") == 1


def test_children_end_with_their_parent(object_store: LocalObjectStore, tmp_path: Path) -> None:
    publish_world(object_store, tmp_path / "bundle", epoch=3)
    with family(tmp_path) as recommenders:
        for _ in range(2):
            recommenders.until("gRPC listening")
        recommenders.process.kill()

        for _ in range(2):  # the log ends when both have
            recommenders.until("gRPC stopped")
        recommenders.reader.join(PATIENCE)
        assert not recommenders.reader.is_alive()


def test_processes_that_cannot_start_end_the_parent(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()  # no file, so every child ends at once
    with family(tmp_path, RECOMMENDER_API_KEYS_FILE=str(tmp_path / "keys")) as recommenders:
        assert recommenders.process.wait(PATIENCE) == 1


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_port_that_is_taken_is_told(tmp_path: Path, processes: str) -> None:
    with family(tmp_path) as recommenders:
        port = recommenders.until("gRPC listening")["port"]
        with family(tmp_path, RECOMMENDER_PORT=str(port), RECOMMENDER_PROCESSES=processes) as second:
            assert second.process.wait(PATIENCE) == 1
