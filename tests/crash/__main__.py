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
from tests.crash.plan import season_plan
from tests.crash.processes import EndedByItselfError
from tests.crash.report import Report
from tests.crash.rounds import season

# A world of its own for so many runs: histories stay short, and both kinds of object store have their turn.
SEASON_RUNS = 50
# Where no bar can be drawn, a line is written after so many.
TELL_RUNS = 10


def crash_test(runs: int, seed: int, console: Console, folder: Path) -> Report:
    """Plays all runs; the seasons have the seeds from `seed` on. Their logs and objects stand below `folder`."""
    report, started = Report(seed, console), monotonic()
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, embedded_server(folder / "postgres") as url_of:
        task = progress.add_task("runs", total=runs)

        def tell() -> None:
            found = f"{report.mismatches} mismatches" if report.mismatches else "all right"
            progress.update(task, advance=1, description=f"runs ({found})")
            if not console.is_terminal and report.runs % TELL_RUNS == 0:
                console.print(f"{report.runs} runs, {found}")

        for number, first in enumerate(range(0, runs, SEASON_RUNS)):
            plan = season_plan(seed + number, url_of("postgres"), folder, min(SEASON_RUNS, runs - first))
            try:
                asyncio.run(season(plan, report, tell))
            except* EndedByItselfError as errors:
                report.add_failure(plan.seed, errors)
    report.seconds = monotonic() - started
    return report


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="a season of runs has a seed of its own, from this on")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--keep", type=Path, help="a folder for the logs of all processes and the objects, to stay")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(10**6)
    console = Console()
    console.print(f"seed {seed}")
    with TemporaryDirectory(prefix="afin-crash-") as name:
        report = crash_test(arguments.runs, seed, console, (arguments.keep or Path(name)).resolve())
    report.show()
    if arguments.report:
        report.write(arguments.report)
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
