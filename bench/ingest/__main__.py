"""`python -m bench.ingest`: how fast payments come from a source into Parquet. `make bench-ingest` runs it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.ingest.measuring import figures, shortfalls

ReportOption = Annotated[Path | None, typer.Option(help="Also write the figures to this JSON file.")]
RowsOption = Annotated[int, typer.Option(help="Payments that the source has.")]
TurnsOption = Annotated[int, typer.Option(help="Readings of each kind; the median counts.")]


def main(report: ReportOption = None, rows: RowsOption = 100_000, turns: TurnsOption = 5) -> None:
    """Reads a local source with and without latency, ours beside requests and pandas, about a minute long."""
    console = Console(highlight=False)
    found = figures(rows, turns)
    for key, value in found.items():
        console.print(f"  {key:<24} {value:,}")
    for line in shortfalls(found):
        console.print(f"  falls short: {line}")
    if report:
        report.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
