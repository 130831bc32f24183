"""`python -m tests.mutants`: makes each mistake in turn and tells which test noticed it; exit code 1 if one lives."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.mutants.killing import check_sound, killer_of
from tests.mutants.mutants import MUTANTS

CORES = os.cpu_count() or 1
OnlyOption = Annotated[str, typer.Option(help="Only mutants whose name holds this.")]
JobsOption = Annotated[int, typer.Option(min=1, help="How many at once.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write the outcome to this file.")]


def main(only: OnlyOption = "", jobs: JobsOption = CORES, report: JsonOption = None) -> None:
    """Kills mutants of the merge of payments."""
    console = Console(highlight=False, soft_wrap=True)
    console.print("The tests without a mutant")
    check_sound()
    chosen = [mutant for mutant in MUTANTS if only in mutant.name]
    killers: dict[str, str | None] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for mutant, killer in zip(chosen, pool.map(killer_of, chosen), strict=True):
            killers[mutant.name] = killer
            console.print(f"  {'[green]killed[/]' if killer else '[red]LIVES [/]'} {mutant.name:<55} {killer or ''}")
    alive = [name for name, killer in killers.items() if killer is None]
    console.print(f"{len(killers)} mutants, {len(killers) - len(alive)} killed, {len(alive)} alive")
    if report:
        outcome = {"mutants": len(killers), "killed": len(killers) - len(alive), "alive": alive, "killers": killers}
        report.write_text(json.dumps(outcome, indent=1) + "\n")
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    typer.run(main)
