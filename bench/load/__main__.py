"""`python -m bench.load`: how fast payments are loaded. `make bench-load` runs it with its rivals."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from bench.load.measuring import Measuring, Seconds, Sizes
from bench.load.report import figures, shortfalls, table
from demo.stack.postgres import embedded_server

ReportOption = Annotated[Path | None, typer.Option(help="Also write the figures to this JSON file.")]
RivalsOption = Annotated[Path | None, typer.Option(help="The Python that has the rivals' packages; none without it.")]
SharesOption = Annotated[int, typer.Option(help="Divides all numbers of rows, for a look at whether it runs.")]


def main(report: ReportOption = None, rivals: RivalsOption = None, divisor: SharesOption = 1) -> None:
    """Measures on one embedded PostgreSQL with default durability, some minutes and gigabytes of disk long."""
    console = Console(highlight=False)
    whole = Sizes()
    sizes = Sizes(whole.batch // divisor, whole.known // divisor, whole.many // divisor, whole.small // divisor)
    seconds = run(sizes, rivals, console)
    found = figures(seconds, sizes)
    console.print(table(seconds, sizes))
    for key, value in found.items():
        console.print(f"  {key:<20} {value:,}")
    for line in shortfalls(found) if divisor == 1 else []:
        console.print(f"  falls short: {line}")
    if report:
        report.write_text(json.dumps(found, indent=1) + "\n")


def run(sizes: Sizes, rivals: Path | None, console: Console) -> Seconds:
    """All measurements; those of the rivals where their Python is given."""
    with TemporaryDirectory(prefix="afin-bench-") as folder, embedded_server(Path(folder) / "postgres") as url_of:
        measuring = Measuring(url_of, Path(folder), sizes, console.print)
        measuring.measure_initial()
        measuring.measure_batches(rivals)
        return measuring.seconds


if __name__ == "__main__":
    typer.run(main)
