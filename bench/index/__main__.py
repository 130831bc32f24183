"""`python -m bench.index`: how long an index takes to build and how much memory. `make bench-index` runs it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.index.measuring import measure
from bench.index.report import figures, growth, shortfalls

ReportOption = Annotated[Path | None, typer.Option(help="Also write the figures to this JSON file.")]
SharesOption = Annotated[int, typer.Option(help="Divides all numbers, for a look at whether it runs.")]


def main(report: ReportOption = None, divisor: SharesOption = 1) -> None:
    """Builds indices of 1M and 10M made-up payments, some minutes, 3 GiB of memory and a gigabyte of disk long."""
    console = Console(highlight=False, soft_wrap=True)
    buildings = measure(divisor, console.print)
    found = figures(buildings)
    for name, each in found.items():
        console.print(name, {key: value for key, value in each.items() if not isinstance(value, dict)})
    console.print("growth from 1M payments to 10M:")
    for line in growth(buildings):
        console.print(f"  {line}")
    for line in shortfalls(found) if divisor == 1 else []:
        console.print(f"  falls short: {line}")
    if report:
        report.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
