"""`python -m bench.serving`: how fast recommendations are served. `make bench-serve` runs it."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console

from bench.serving.indexes import Served, generated, given
from bench.serving.report import figures, shortfalls, table
from bench.serving.rounds import Length, measure, two_processes

DataOption = Annotated[Path | None, typer.Option(help="A folder with payments.parquet; without it, generated ones.")]
ReportOption = Annotated[Path | None, typer.Option(help="Also write the figures to this JSON file.")]
KeepOption = Annotated[Path | None, typer.Option(help="A folder for the built indexes, which later runs use again.")]
RoundsOption = Annotated[int, typer.Option(help="How often each is loaded.")]
OnlyOption = Annotated[str, typer.Option(help="given or generated: this one alone.")]
DivisorOption = Annotated[int, typer.Option(help="Divides the generated numbers, for a look at whether it runs.")]


def main(  # noqa: PLR0913, PLR0917 - options of a command line
    data: DataOption = None,
    report: ReportOption = None,
    keep: KeepOption = None,
    rounds: RoundsOption = 7,
    only: OnlyOption = "",
    divisor: DivisorOption = 1,
) -> None:
    """Exit code 1 where serving falls short of what it is held to."""
    console = Console(highlight=False, soft_wrap=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with _folder(keep) as folder:
        found = run(_indexes(data, folder, divisor, console.print), Length(rounds), only, console)
    console.print(table(found))
    short = shortfalls(found) if divisor == 1 else []
    for line in short:
        console.print(f"  falls short: {line}")
    if report:
        report.write_text(json.dumps(found, indent=1) + "\n")
    raise typer.Exit(1 if short else 0)


Making = dict[str, Callable[[], Served]]


def run(indexes: Making, length: Length, only: str, console: Console) -> dict[str, dict[str, Any]]:
    """The figures by name."""
    found = {}
    for name, make in indexes.items():
        if only in ("", name):
            served = make()
            rounds = measure(served, length, console.print)
            found[name] = figures(rounds, two_processes(served, length, console.print))
    return found


def _indexes(data: Path | None, keep: Path, divisor: int, say: Callable[[str], None]) -> Making:
    return {"given": lambda: given(data, keep, say), "generated": lambda: generated(keep, divisor, say)}


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        yield keep.resolve()
        return
    with TemporaryDirectory(prefix="afin-bench-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    typer.run(main)
