"""The bench of serving, small: it runs to its end, and its load tells answers from refusals."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import grpc
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from bench.serving.__main__ import run
from bench.serving.echo_process import KINDS, OURS, PATH
from bench.serving.frames import message
from bench.serving.indexes import Served, given
from bench.serving.load import Target, closed_load, open_load
from bench.serving.report import table
from bench.serving.rounds import Length
from demo.generator import generate
from demo.population.parameters import GeneratorParameters

LIMIT = 3


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """An index of a small generated data set, from files as a user brings them."""
    folder = tmp_path_factory.mktemp("serving")
    made = generate(GeneratorParameters(date(2026, 1, 1), clients=150, companies=40, days=200, payments=4_000))
    pq.write_table(made.payments, folder / "payments.parquet")
    pq.write_table(made.companies, folder / "companies.parquet")
    return given(folder, folder / "keep", lambda _: None)


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """A server that answers messages of at most LIMIT bytes, and refuses longer ones."""

    def call(request: bytes, context: grpc.ServicerContext) -> bytes:
        if len(request) > LIMIT:
            context.abort(grpc.StatusCode.OUT_OF_RANGE, "too long")
        return request

    server = grpc.server(ThreadPoolExecutor(2))
    handler: Any = grpc.unary_unary_rpc_method_handler(call)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("a.B", {"C": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


def test_everything_is_measured(served: Served) -> None:
    told = StringIO()
    console = Console(file=told, width=200)

    figures = run({"given": lambda: served}, Length(rounds=1, warm=0, seconds=1), "", console)["given"]

    assert figures["failed_calls"] == 0
    assert figures["answers_read"] == 400
    measured = {key: value for key, value in figures.items() if key.endswith(("qps", "ms", "mib"))}
    assert all(value > 0 for key, value in measured.items() if key != "h2load_floor_qps")
    console.print(table({"given": figures}))
    assert "online ratio" in told.getvalue()


def test_an_index_that_was_built_is_used_again(served: Served, tmp_path: Path) -> None:
    said: list[str] = []

    again = given(served.objects.parent.parent.parent, served.objects.parent.parent, said.append)

    assert again == served
    assert any("used again" in line for line in said)


@pytest.mark.parametrize("kind", [*KINDS, OURS])
def test_each_kind_of_bare_echo_answers(kind: str) -> None:
    command = [sys.executable, "-m", "bench.serving.echo_process", kind, "388"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        target = Target(int(process.stdout.readline()), PATH, connections=2)
        load = closed_load(target, [message(b"x")], at_once=2, warm=0, seconds=0.3)
        process.send_signal(signal.SIGTERM)

    assert load.statuses.keys() == {"0"}
    assert process.returncode == 0


def test_refusals_are_counted_apart_from_answers(refusing_port: int) -> None:
    messages = [message(b"x" * length) for length in (LIMIT, LIMIT + 1)]

    load = open_load(Target(refusing_port, "/a.B/C", connections=3), messages, rate=500, seconds=0.4)

    assert load.statuses == {"0": 100, "11": 100, "never sent": 0}
    assert load.ended == 200


def test_more_is_sent_than_fits_into_the_first_window(refusing_port: int) -> None:
    large = [message(b"x" * 60_000)]

    load = closed_load(Target(refusing_port, "/a.B/C", connections=1), large, at_once=5, warm=0, seconds=0.3)

    assert load.statuses.keys() == {"11"}
    assert load.calls > 5
