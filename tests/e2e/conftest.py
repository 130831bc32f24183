"""A small world of payments on disk, and the command `afin` as a separate process."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from demo.generator import generate
from demo.population.parameters import GeneratorParameters

START_SECONDS = 240
STOP_SECONDS = 60
# Small, and yet enough for the index to beat popularity.
SMALL = GeneratorParameters(end=date(2026, 1, 1), clients=600, companies=300, days=365, payments=20_000)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with payments.parquet and companies.parquet, as a user would bring it."""
    folder = tmp_path_factory.mktemp("data")
    dataset = generate(SMALL)
    pq.write_table(dataset.payments, folder / "payments.parquet")
    pq.write_table(dataset.companies, folder / "companies.parquet")
    return folder


def afin(*arguments: str) -> list[str]:
    """The command line of `afin` from the environment that runs the tests, on ports that nobody else uses."""
    return [str(Path(sys.executable).parent / "afin"), *arguments, "--free-ports"]


@dataclass
class ServingAfin:
    """A running `afin` that serves; `output` holds what it printed so far."""

    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)

    def address(self, service: str) -> str:
        """host:port of a service, as printed for the person who started it."""
        match = re.search(rf"{service} +grpc (\S+)", "".join(self.output))
        assert match is not None, "".join(self.output)
        return match.group(1)

    def metrics(self, service: str) -> str:
        """host:port of a service's metrics."""
        match = re.search(rf"{service} +grpc \S+ +metrics http://(\S+)", "".join(self.output))
        assert match is not None, "".join(self.output)
        return match.group(1)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def serving_afin(*arguments: str) -> Iterator[ServingAfin]:
    """Runs `afin` until it serves, and stops it at the end."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    process = subprocess.Popen(
        afin(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    serving, ready = ServingAfin(process), threading.Event()
    reader = threading.Thread(target=_read, args=(serving, ready))
    reader.start()
    try:
        assert ready.wait(START_SECONDS), "".join(serving.output)
        assert process.poll() is None, "".join(serving.output)
        yield serving
    finally:
        if process.poll() is None:
            serving.interrupt()
        reader.join(STOP_SECONDS)


def _read(serving: ServingAfin, ready: threading.Event) -> None:
    assert serving.process.stdout is not None
    for line in serving.process.stdout:
        serving.output.append(line)
        if "ListRuns" in line:  # the last line of what a serving stack prints
            ready.set()
    serving.process.stdout.close()
    ready.set()
