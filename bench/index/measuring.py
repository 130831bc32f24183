"""The processes of a run, one after the other, and what they tell."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.index.rows import SIZES

Say = Callable[[str], None]
STAGE_ENDED = "build stage ended"
# The indexer reads made-up rows in no time that means anything.
NOT_OURS = {"read_training_payments"}
# By name of a size: what is measured beside ours.
RIVALS = {"1m_1k": ("scipy", "prototype"), "10m_10k": ("scipy",), "100k_companies": ()}


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, and those of the processor, and the most memory held, in MiB."""

    seconds: float
    cpu_seconds: float
    peak_rss_mib: float


@dataclass(frozen=True, slots=True)
class Building:
    """The stages of one build by name, and rivals of its co-occurrence by name; `refused`: why it was not published."""

    stages: dict[str, Measured]
    rivals: dict[str, Measured]
    refused: str = ""


def measure(divisor: int, say: Say) -> dict[str, Building]:
    """All sizes by name, the smallest first."""
    return {name: _building(name, divisor, say) for name in SIZES}


def _building(name: str, divisor: int, say: Say) -> Building:
    say(f"{name}: building")
    ended = _ended(name, divisor)
    stages = {line["stage"]: Measured(line["seconds"], line["cpu_seconds"], line["peak_rss_mib"]) for line in ended}
    for line in ended:
        say(_line(line["stage"], stages[line["stage"]]))
    rivals = {}
    for rival in RIVALS[name]:
        rivals[rival] = Measured(**json.loads(_output("bench.index.floor", name, str(divisor), rival)))
        say(_line(rival, rivals[rival]))
    return Building(stages, rivals, ended[-1]["refused"])


def _line(name: str, measured: Measured) -> str:
    seconds = f"{measured.seconds:>9.2f} s ({measured.cpu_seconds:.2f} s of the processor)"
    return f"  {name:<24}{seconds:<42}{measured.peak_rss_mib:>6.0f} MiB"


def _ended(name: str, divisor: int) -> list[dict[str, Any]]:
    """What the service's log tells of each stage."""
    with TemporaryDirectory(prefix="afin-bench-") as folder:
        lines = map(json.loads, _output("bench.index.building_process", name, str(divisor), folder).splitlines())
        return [line for line in lines if line["event"] == STAGE_ENDED and line["stage"] not in NOT_OURS]


def _output(module: str, *arguments: str | Path) -> str:
    """What a module's process printed; CalledProcessError when it failed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
