"""`python -m tests.containers --report f.json`: exit code 1 unless all was as it should be. Needs podman, as root.

Runs what deploy/compose/compose.yaml describes, with two of each service, from images that it makes before.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from afin.ingest.v1 import ingest_pb2
from demo.main_job.payers import clients_that_pay
from demo.main_job.pipelines import run_pipeline
from tests.containers import hardening, journey, machine, podman
from tests.containers.compose import PROJECT, brought_up, find_compose, read
from tests.containers.load import PORTS
from tests.containers.stopping import stop_each
from tests.serving.report import show

PREPARE = Path(__file__).parent / "prepare.sh"
SOURCE = f"{PROJECT}-source-1"
SOURCE_PORT = 8080
CLIENTS = 50


def containers_of(service: str) -> list[str]:
    """Their names, as Compose gives them."""
    return [f"{PROJECT}-{service}-1", f"{PROJECT}-{service}-twin-1"]


async def stop_all(console: Console) -> dict[str, Any]:
    """What became of calls and of a pipeline, service by service."""
    clients = await clients_that_pay(f"http://{podman.address(SOURCE)}:{SOURCE_PORT}", CLIENTS)
    ingests = ",".join(f"{podman.address(name)}:{PORTS['ingest']}" for name in containers_of("ingest"))
    found = {}
    for service in PORTS:
        console.print(f"containers: stops each {service} in turn under load, while a pipeline runs")
        pipeline = run_pipeline(f"ipv4:{ingests}", ingest_pb2.PIPELINE_RECOMMENDATIONS, lambda _: None)
        running = asyncio.create_task(pipeline)
        found[service] = await stop_each(service, containers_of(service), clients)
        found[service]["pipeline_attempts"] = (await running).attempts
    return found


def look(console: Console) -> dict[str, Any]:
    """The figures of a stack that is up and has had its first run."""
    running = podman.names(PROJECT, "--filter", "status=running")
    rights = {name: hardening.rights(name) for name in running}
    stopped = asyncio.run(stop_all(console))
    health = journey.health({name: service for service in PORTS for name in containers_of(service)})
    problems = [problem for name in running for problem in hardening.problems(name, rights[name])]
    problems += [problem for each in stopped.values() for problem in each.pop("problems")]
    problems += [f"{name} says {said}" for name, said in health.items() if said != "SERVING"]
    return {"rights": rights, "stopped": stopped, "health": health, "problems": problems}


def container_test(folder: Path, logs: Path, console: Console) -> dict[str, Any]:
    """All of it; what Compose and the socket need lies in `folder`, what containers printed goes to `logs`."""
    socket, model = folder / "podman.sock", folder / "compose.json"
    with podman.served(socket):
        compose = find_compose(socket)
        adapted = read(compose)
        model.write_text(json.dumps(adapted.model))
        console.print("containers: brings the stack up")
        with brought_up(compose, model, logs) as project:
            console.print("containers: runs both pipelines and asks for a recommendation")
            found = {"first_run": journey.first_run(compose, project), **look(console)}
    images = sorted({service["image"] for service in adapted.model["services"].values()})
    return {**found, "images_mb": podman.image_sizes(images), "differences": adapted.differences}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.containers", description=__doc__)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for what all containers printed, to stay")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    with TemporaryDirectory(prefix="afin-containers-") as name:
        machine.write_settings(Path(name) / "containers.conf")
        os.environ["CONTAINERS_CONF"] = f"{name}/containers.conf"
        subprocess.run([PREPARE], check=True)
        logs = arguments.keep or Path(name) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        found = container_test(Path(name), logs, console)
    show({"parts": {"containers": found}, "problems": found["problems"]}, console)
    if arguments.report:
        arguments.report.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
