"""`python -m tests.index_crash --runs 50 --report f.json`: exit code 1 unless a whole index was served all the time."""

import argparse
import asyncio
import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo.stack.postgres import embedded_server
from tests.index_crash.report import as_json, show
from tests.index_crash.rounds import Outcome, play
from tests.index_crash.world import world

# A world of its own for so many runs: both kinds of object store have their turn.
SEASON_RUNS = 25


def index_crash_test(runs: int, seed: int, folder: Path, console: Console) -> dict[int, Outcome]:
    """Plays all runs; the seasons have the seeds from `seed` on, and leave their logs and objects below `folder`."""
    outcomes: dict[int, Outcome] = {}
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, embedded_server(folder / "postgres") as url_of:
        task = progress.add_task("runs", total=runs)
        for number, first in enumerate(range(0, runs, SEASON_RUNS)):
            count, own = min(SEASON_RUNS, runs - first), seed + number

            async def season(count: int = count, own: int = own) -> Outcome:
                async with world(own, url_of("postgres"), folder / str(own)) as opened:
                    return await play(opened, count, own, lambda: progress.advance(task))

            outcomes[own] = asyncio.run(season())
    return outcomes


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.index_crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="even: objects on S3, odd: in a folder; then in turn")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for the logs of all processes and the objects, to stay")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(10**6)
    console = Console()
    with TemporaryDirectory(prefix="afin-index-crash-") as name:
        folder = (arguments.keep or Path(name)).resolve()
        report = as_json(index_crash_test(arguments.runs, seed, folder, console))
    show(report, console)
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if report["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
