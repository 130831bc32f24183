"""What an operator does first: the first run of both pipelines, and the health of each service."""

from collections.abc import Mapping
from time import monotonic
from typing import Any

from console.services import FULL_NAMES
from tests.containers import podman
from tests.containers.compose import Compose
from tests.containers.load import PORTS


def first_run(compose: Compose, project: tuple[str, ...]) -> dict[str, Any]:
    """What a new user sees of both pipelines and of Recommend; PodmanError when any of it fails."""
    begun = monotonic()
    said = compose.run(*project, "--profile=first-run", "run", "--rm", "--no-TTY", "first-run").splitlines()
    companies = [line.strip() for line in said if line.startswith("  ")]
    return {
        "seconds": round(monotonic() - begun, 1),
        **{line.partition(":")[0]: line.partition(": ")[2] for line in said if ": read " in line},
        "recommended": companies,
    }


def health(containers: Mapping[str, str]) -> dict[str, str]:
    """What each says of its work, asked by the probe inside; `containers`: the service of each."""
    asked = {}
    for container, service in containers.items():
        probe = ["python", "-m", "services.runtime.probe", f"127.0.0.1:{PORTS[service]}", FULL_NAMES[service]]
        try:
            asked[container] = podman.run("podman", "exec", container, *probe).strip()
        except podman.PodmanError as error:
            asked[container] = str(error).splitlines()[1]
    return asked
