"""A process ends its work when it is told to, and its logs and metrics can be read by machines."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from services.runtime.lifecycle import run_until_stopped
from services.runtime.version import code_version

# Logs in several ways, and works until its standard input is closed.
PROGRAM = """
import logging, sys, structlog
from services.runtime.settings import ServiceSettings
from services.runtime.telemetry import telemetry
with telemetry("house", ServiceSettings(host="127.0.0.1", metrics_port=0, log_level="INFO")):
    log = structlog.get_logger("of the house")
    log.debug("too quiet")
    log.info("a window opened", room=3)
    logging.getLogger("of a library").warning("creaks %s", "loudly")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("the roof fell in")
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.read()
"""


Program = tuple[list[dict[str, object]], str]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_in_order(number: signal.Signals) -> None:
    done: list[str] = []

    async def work(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(20):
            await stop.wait()
        done.append("stopped")

    run_until_stopped(work)

    assert done == ["stopped"]


def test_a_second_signal_while_it_ends_changes_nothing() -> None:
    done: list[str] = []

    async def work(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            await stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.to_thread(done.append, "stopped")

    run_until_stopped(work)

    assert done == ["stopped"]


def test_an_error_of_the_work_is_not_hidden() -> None:
    async def work(_: asyncio.Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_until_stopped(work)


@pytest.fixture(scope="module")
def program() -> Program:
    """What the program logged, and what /metrics of it said."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stderr.readline() == "ready\n"
        first = process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{json.loads(first)['port']}/metrics", timeout=20) as answer:
            metrics = answer.read().decode()
        process.stdin.close()
        rest = process.stdout.read()
        assert process.wait(20) == 0
    return [json.loads(line) for line in (first + rest).splitlines()], metrics


def entry_of(logs: list[dict[str, object]], event: str) -> dict[str, object]:
    """The one line of an event."""
    (found,) = [each for each in logs if each["event"] == event]
    return found


def test_each_log_line_is_an_object_with_its_data(program: Program) -> None:
    entry = entry_of(program[0], "a window opened")

    assert (entry["room"], entry["level"], entry["logger"], entry["service"]) == (3, "info", "of the house", "house")
    assert str(entry["timestamp"]).endswith("Z")


def test_what_libraries_log_has_the_same_form(program: Program) -> None:
    entry = entry_of(program[0], "creaks loudly")

    assert (entry["level"], entry["logger"], entry["service"]) == ("warning", "of a library", "house")


def test_a_traceback_stays_within_its_line(program: Program) -> None:
    entry = entry_of(program[0], "the roof fell in")

    assert "ZeroDivisionError" in str(entry["exception"])


def test_what_is_below_the_level_is_not_logged(program: Program) -> None:
    assert "too quiet" not in {entry["event"] for entry in program[0]}


def test_metrics_tell_which_code_runs(program: Program) -> None:
    assert f'afin_build_info{{version="{code_version()}"}} 1.0' in program[1]
