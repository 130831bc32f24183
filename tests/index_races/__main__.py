"""`python -m tests.index_races --publishers 8 --rounds 20`: exit code 1 unless epochs are linear and none is lost."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from tests.index_races.race import race
from tests.index_races.stores import KINDS, opened


async def raced_on(kind: str, publishers: int, rounds: int) -> dict[str, Any]:
    """The figures of all rounds on one kind of store."""
    with TemporaryDirectory(prefix="afin-races-") as folder:
        async with opened(kind, Path(folder)) as (store, address):
            races = await race(store, address, publishers, rounds)
    return {"publications": len(races.stored), "lost_races": races.lost_races, "problems": races.problems()}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.index_races", description=__doc__)
    parser.add_argument("--publishers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--report", type=Path)
    arguments = parser.parse_args()
    report = {kind: asyncio.run(raced_on(kind, arguments.publishers, arguments.rounds)) for kind in KINDS}
    for kind, found in report.items():
        Console().print(
            f"{kind}: {found['publications']} publications of {arguments.publishers} publishers in {arguments.rounds} "
            f"rounds, {found['lost_races']} races lost and run again, problems: {found['problems'] or 'none'}"
        )
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if any(found["problems"] for found in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
