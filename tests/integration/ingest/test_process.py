"""`python -m services.ingest` as a separate process: settings, signals, health, logs."""

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

from afin.ingest.v1 import ingest_pb2 as pb
from afin.ingest.v1 import ingest_pb2_grpc as rpc

COMMAND = [sys.executable, "-m", "services.ingest"]
STOP_SECONDS = 30
FULL_NAME = "afin.ingest.v1.IngestService"
REQUIRED = {
    "DATABASE_URL": "postgresql://nobody:a-secret-password@127.0.0.1:1/nothing",
    "OBJECT_STORE_URL": "file:///nowhere",
    "SOURCE_URL": "http://127.0.0.1:1",
    "WAREHOUSE_ADDRESS": "127.0.0.1:1",
    "INDEXER_ADDRESS": "127.0.0.1:1",
}


@dataclass
class Running:
    """A process that listens on `port`; `logged` holds the lines read so far."""

    process: subprocess.Popen[str]
    port: int
    logged: list[str]

    def wait_for(self, event: str) -> None:
        """Reads the log until the event comes; the test's own timeout bounds it."""
        assert self.process.stdout is not None
        while f'"event": "{event}"' not in self.logged[-1]:
            self.logged.append(self.process.stdout.readline())
            assert self.logged[-1], "".join(self.logged)

    def stop(self, number: signal.Signals) -> int:
        """Sends a signal; the exit code, with all that was logged read."""
        assert self.process.stdout is not None
        self.process.send_signal(number)
        self.logged.extend(self.process.stdout)
        return self.process.wait(STOP_SECONDS)


def environment(failpoint: str = "", **settings: str) -> dict[str, str]:
    """Ours without its INGEST_ settings, and with these; `failpoint`: where the process kills itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
    return inherited | {"AFIN_FAILPOINT": failpoint} | {f"INGEST_{name}": value for name, value in settings.items()}


@contextmanager
def running(failpoint: str = "", **settings: str) -> Iterator[Running]:
    """An ingest, from when it listens."""
    with subprocess.Popen(
        COMMAND,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(failpoint, **{**REQUIRED, **settings}),
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_with_0_though_nothing_that_it_needs_is_there(number: signal.Signals) -> None:
    with running() as ingest:
        code = ingest.stop(number)

    assert code == 0
    assert not any("a-secret-password" in line for line in ingest.logged)


def test_it_lives_but_is_not_ready_while_its_database_is_away() -> None:
    with running() as ingest, grpc.insecure_channel(f"127.0.0.1:{ingest.port}") as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        while '"health changed"' not in ingest.logged[-1]:
            assert ingest.process.stdout is not None
            ingest.logged.append(ingest.process.stdout.readline())

        alive = check(health_pb2.HealthCheckRequest(), timeout=20)
        ready = check(health_pb2.HealthCheckRequest(service=FULL_NAME), timeout=20)

    assert alive.status == health_pb2.HealthCheckResponse.SERVING
    assert ready.status == health_pb2.HealthCheckResponse.NOT_SERVING


def test_a_call_is_told_that_the_database_is_away() -> None:
    with running() as ingest, grpc.insecure_channel(f"127.0.0.1:{ingest.port}") as channel:
        call = rpc.IngestServiceStub(channel).ListRuns.future(pb.ListRunsRequest(), timeout=20)
        code, details = call.code(), call.details() or ""

    assert code == grpc.StatusCode.UNAVAILABLE
    assert details.startswith("the database does not answer")


def test_it_works_until_sigterm_and_sends_away_who_watches(url: str, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    settings = {"DATABASE_URL": url, "OBJECT_STORE_URL": (tmp_path / "objects").as_uri()}
    with running(**settings) as ingest, grpc.insecure_channel(f"127.0.0.1:{ingest.port}") as channel:
        stub = rpc.IngestServiceStub(channel)
        run = stub.RunPipeline(pb.RunPipelineRequest(pipeline=pb.PIPELINE_COMPANIES), timeout=20).run
        watch = stub.WatchRun(pb.WatchRunRequest(run_id=run.run_id), timeout=20)
        assert next(watch).run.run_id == run.run_id

        exit_code = ingest.stop(signal.SIGTERM)

        assert (exit_code, watch.code()) == (0, grpc.StatusCode.UNAVAILABLE)


@pytest.mark.timeout(120)
def test_another_replica_leads_when_the_leader_is_frozen(url: str, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    settings = {"DATABASE_URL": url, "OBJECT_STORE_URL": (tmp_path / "objects").as_uri()}
    with running(**settings) as leader, running(**settings) as other:
        leader.wait_for("leading")
        leader.process.send_signal(signal.SIGSTOP)

        other.wait_for("leading")

        leader.process.send_signal(signal.SIGCONT)
        leader.wait_for("no longer leading")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "INGEST_SOURCE_URL: Field required"),
        (REQUIRED | {"PAGE_LIMITS": "5"}, "unknown: INGEST_PAGE_LIMITS"),
        (REQUIRED | {"RECOMMENDATIONS_SCHEDULE": "daily"}, "INGEST_RECOMMENDATIONS_SCHEDULE: "),
        (REQUIRED | {"OVERLAP": "two days"}, "INGEST_OVERLAP: "),
        (REQUIRED | {"DATABASE_URL": "a-secret-password"}, "INGEST_DATABASE_URL: "),
    ],
    ids=["missing", "unknown", "cron", "duration", "secret"],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(settings: dict[str, str], named: str) -> None:
    ended = subprocess.run(
        COMMAND, env=environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("ingest: wrong settings: ")
    assert len(ended.stderr.splitlines()) == 1
    assert named in ended.stderr
    assert "a-secret-password" not in ended.stderr
