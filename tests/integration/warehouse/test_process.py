"""The service as a process of its own: it starts, serves, stops on a signal, and tells wrong settings in one line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from services.runtime.objects.local import LocalObjectStore

COMMAND = [sys.executable, "-W", "error", "-m", "services.warehouse"]
STOP_SECONDS = 30


@contextmanager
def process(database_url: str, object_store: LocalObjectStore, failpoint: str = "") -> Iterator[subprocess.Popen[str]]:
    """A running service on ports that nobody else uses; `failpoint`: where it kills itself."""
    environment = {
        **os.environ,
        "AFIN_FAILPOINT": failpoint,
        "WAREHOUSE_DATABASE_URL": database_url,
        "WAREHOUSE_OBJECT_STORE_URL": object_store._root.as_uri(),
    }
    running = subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def logged(running: subprocess.Popen[str], event: str) -> dict[str, object]:
    """Reads the log until the event; fails when the process ends before."""
    assert running.stdout is not None
    for line in running.stdout:
        entry: dict[str, object] = json.loads(line)
        if entry["event"] == event:
            return entry
    raise AssertionError(f"ended without {event!r}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(warehouse_url: str, object_store: LocalObjectStore, number: signal.Signals) -> None:
    with process(warehouse_url, object_store) as running:
        logged(running, "health changed")
        running.send_signal(number)
        out, err = running.communicate(timeout=STOP_SECONDS)
        assert running.returncode == 0
        assert "gRPC stopped" in out
        assert err == ""


def test_prometheus_reads_its_metrics(warehouse_url: str, object_store: LocalObjectStore) -> None:
    with process(warehouse_url, object_store) as running:
        port = logged(running, "metrics listening")["port"]
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            told = answer.read().decode()
    assert "afin_build_info{version=" in told
    assert "afin_warehouse_load_seconds" in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAREHOUSE_DATABASE_URL", "postgres"),
        ("WAREHOUSE_OBJECT_STORE_URL", "ftp://x"),
        ("WAREHOUSE_PORT", "http"),
        ("WAREHOUSE_SPEED", "1"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(name: str, value: str) -> None:
    right = {"WAREHOUSE_DATABASE_URL": "postgresql://db/afin", "WAREHOUSE_OBJECT_STORE_URL": "s3://lake"}
    environment = {**os.environ, **right, name: value}
    result = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert name in result.stderr
