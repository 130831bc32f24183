"""Docker Compose on podman: the file resolved by Compose itself, adapted to this machine, brought up and down."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.containers import machine, podman
from tests.containers.load import PORTS
from tests.containers.standins import Adapted, adapt, with_twins

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/compose"
PROJECT = "afin-container-test"
# A network of the test's own, on this machine alone.
SUBNET = "10.89.211"
TOOL_IMAGE = "localhost/afin-standin/compose:local"


@dataclass(frozen=True, slots=True)
class Compose:
    """`command`: Compose's own; `environment`: where its Docker is."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """What Compose prints; PodmanError when it fails."""
        return podman.run(*self.command, *arguments, environment=self.environment)


def find_compose(socket: Path) -> Compose:
    """Of this machine, or else of Debian 13 in a container, which sees the project and the socket alone."""
    address = f"unix://{socket}"
    if shutil.which("docker-compose"):
        return Compose(("docker-compose",), {"DOCKER_HOST": address})
    shared = [f"--volume={ROOT}:{ROOT}", f"--volume={socket.parent}:{socket.parent}"]
    told = ["--network=host", f"--env=DOCKER_HOST={address}", f"--workdir={FOLDER}"]
    return Compose(("podman", "run", "--rm", *shared, *told, TOOL_IMAGE, "docker-compose"), {})


def read(compose: Compose) -> Adapted:
    """What compose.yaml says, for this machine, and two of each service."""
    resolved = compose.run("--file", str(FOLDER / "compose.yaml"), "--profile=first-run", "config", "--format", "json")
    adapted = adapt(json.loads(resolved), machine.open_files())
    return replace(adapted, model=with_twins(adapted.model, tuple(PORTS), SUBNET))


@contextmanager
def brought_up(compose: Compose, model_file: Path, logs: Path) -> Iterator[tuple[str, ...]]:
    """All of the model runs, and what has a health check is healthy; afterwards nothing of it is left but logs.

    Gives the words by which Compose knows what is up.
    """
    project = ("--file", str(model_file), "--project-name", PROJECT)
    compose.run(*project, "down", "--volumes", "--timeout=5")
    try:
        with podman.health_asked(PROJECT):
            compose.run(*project, "up", "--detach", "--wait")
        yield project
    finally:
        for name in podman.names(PROJECT):
            (logs / f"{name}.log").write_text(podman.logs(name))
        compose.run(*project, "down", "--volumes", "--timeout=5")
