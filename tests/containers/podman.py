"""Podman as this test needs it: a socket for Compose, and containers looked at, stopped and started."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

COMMAND_SECONDS = 900.0
POLL_SECONDS = 1.0
START_SECONDS = 120.0
# Podman would ask systemd for timers that ask containers for their health; where there is none, nothing starts.
WITHOUT_SYSTEMD = {"DISABLE_HC_SYSTEMD": "true"}


class PodmanError(Exception):
    """What podman or Compose would not do, in its own words."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a container ended after SIGTERM, and the seconds that it had."""

    seconds: float
    exit_code: int
    grace: int


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What the command prints; PodmanError when it fails."""
    told = {**os.environ, **WITHOUT_SYSTEMD, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, env=told)
    if done.returncode != 0:
        words = f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
        raise PodmanError(f"{' '.join(command)}: exit code {done.returncode}\n{words}")
    return done.stdout


@contextmanager
def served(socket: Path) -> Iterator[None]:
    """Podman's answer to Docker's API at `socket`."""
    command = ["podman", "system", "service", "--time=0", f"unix://{socket}"]
    with subprocess.Popen(command, env={**os.environ, **WITHOUT_SYSTEMD}) as process:
        try:
            begun = monotonic()
            while not socket.exists():
                if process.poll() is not None or monotonic() - begun > START_SECONDS:
                    raise PodmanError("podman system service did not start")
                threading.Event().wait(POLL_SECONDS / 10)
            yield
        finally:
            process.terminate()


@contextmanager
def health_asked(project: str) -> Iterator[None]:
    """Asks every container of the project for its health, again and again: what systemd does elsewhere."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(POLL_SECONDS):
            for name in names(project, "--filter", "status=running"):
                subprocess.run(["podman", "healthcheck", "run", name], capture_output=True, check=False)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        ended.set()
        asking.join()


def names(project: str, *filters: str) -> list[str]:
    """Of the project's containers, those that have ended included."""
    label = f"label=com.docker.compose.project={project}"
    return run("podman", "ps", "--all", "--filter", label, *filters, "--format", "{{.Names}}").split()


def inspect(name: str) -> dict[str, Any]:
    """All that podman knows of a container."""
    (found,) = json.loads(run("podman", "inspect", name))
    return dict(found)


def address(name: str) -> str:
    """In the network of the project."""
    (network,) = inspect(name)["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def stop(name: str) -> Stopped:
    """SIGTERM, and SIGKILL after the grace that the container was made with, which then is its exit code's 137."""
    grace = int(inspect(name)["Config"]["StopTimeout"])
    begun = monotonic()
    run("podman", "stop", name)
    return Stopped(round(monotonic() - begun, 2), int(inspect(name)["State"]["ExitCode"]), grace)


def logs(name: str) -> str:
    """All that it has printed."""
    done = subprocess.run(
        ["podman", "logs", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def start(name: str) -> None:
    """Starts one that was stopped; returns at once."""
    run("podman", "start", name)


def image_sizes(images: list[str]) -> dict[str, float]:
    """Uncompressed, in MB."""
    return {
        image: round(int(run("podman", "image", "inspect", image, "--format", "{{.Size}}")) / 1e6, 1)
        for image in images
    }
