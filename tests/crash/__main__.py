"""`python -m tests.crash --runs 200 --report f.json --seed 1`: exit code 1 unless the warehouse was right each time."""

import argparse
import asyncio
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo.stack.postgres import embedded_server
from tests.crash.report import Report
from tests.crash.rounds import FIRST_WINDOW, season, season_begin
from tests.crash.season import Plan

# A world of its own for so many runs: histories stay short, and both kinds of object store have their turn.
SEASON_RUNS = 50


def crash_test(runs: int, seed: int, console: Console) -> Report:
    """Plays all runs; the seasons have the seeds from `seed` on."""
    report, started = Report(seed), monotonic()
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with TemporaryDirectory(prefix="afin-crash-") as name, Progress(*columns, console=console) as progress:
        folder = Path(name)
        task = progress.add_task("runs", total=runs)

        def tell() -> None:
            found = f"{report.mismatches} mismatches" if report.mismatches else "all right"
            progress.update(task, advance=1, description=f"runs ({found})")

        with embedded_server(folder / "postgres") as url_of:
            for number, first in enumerate(range(0, runs, SEASON_RUNS)):
                length = min(SEASON_RUNS, runs - first)
                begin = season_begin(length)
                day = str((begin - FIRST_WINDOW).date())
                plan = Plan(seed + number, url_of("postgres"), folder / str(number), (seed + number) % 2 == 0, day)
                plan.folder.mkdir()
                asyncio.run(season(plan, begin, length, report, tell))
    report.seconds = monotonic() - started
    return report


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="a season of runs has a seed of its own, from this on")
    parser.add_argument("--report", type=Path)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(10**6)
    console = Console()
    console.print(f"seed {seed}")
    report = crash_test(arguments.runs, seed, console)
    report.show(console)
    if arguments.report:
        report.write(arguments.report)
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
