"""`python -m tests.serving --part swaps,overload --report f.json`: exit code 1 unless every part kept its promise."""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from rich.console import Console

from tests.serving import hostile, outages, overload, soak, swaps
from tests.serving.report import show
from tests.serving.world import World, large_world, small_world

PARTS = ("swaps", "overload", "hostile", "outages", "soak")
SWAPS, OVERLOAD_SECONDS, HOSTILE_SECONDS, OUTAGE_SECONDS = 100, 60.0, 10.0, 5.0
Make = Callable[[Path], World]


def serve_fault_test(
    chosen: list[str], make: Make, folder: Path, minutes: float, console: Console
) -> dict[str, dict[str, Any]]:
    """What each part found; each has a world of its own, made before its loop, but outages brings one."""
    plays: dict[str, Callable[[Path], Coroutine[Any, Any, dict[str, Any]]]] = {
        "swaps": lambda own: swaps.play(make(own), own, SWAPS),
        "overload": lambda own: overload.play(make(own), own, OVERLOAD_SECONDS),
        "hostile": lambda own: hostile.play(make(own), own, HOSTILE_SECONDS),
        "outages": lambda own: outages.play(own, OUTAGE_SECONDS),
        "soak": lambda own: soak.play(make(own), own, minutes),
    }
    found = {}
    for part in chosen:
        console.print(f"{part}: under way")
        (folder / part).mkdir(parents=True)
        found[part] = asyncio.run(plays[part](folder / part))
    return found


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.serving", description=__doc__)
    parser.add_argument("--part", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--minutes", type=float, default=30, help="of the soak")
    parser.add_argument("--small", action="store_true", help="a few planted companies, not 100k and 1M clients")
    parser.add_argument("--index", type=Path, help="a folder in which the large index is kept for later runs")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for the logs of all processes, to stay")
    arguments = parser.parse_args()
    chosen = arguments.part.split(",")
    if unknown := sorted(set(chosen) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = Console(soft_wrap=True)
    with TemporaryDirectory(prefix="afin-serving-") as name:
        folder = (arguments.keep or Path(name)).resolve()
        index = (arguments.index or folder / "index").resolve()
        make: Make = small_world if arguments.small else lambda own: large_world(own, index)
        found = serve_fault_test(chosen, make, folder, arguments.minutes, console)
    problems = [f"{part}: {problem}" for part, each in found.items() for problem in each["problems"]]
    report = {"parts": found, "problems": problems}
    show(report, console)
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
