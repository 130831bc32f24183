"""`python -m bench.quality`: how good recommendations are. `make eval` runs it with its rivals."""

import asyncio
import json
import logging
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bench.quality.ablation import ablation
from bench.quality.evaluating import Entrant, evaluate, rivals
from bench.quality.report import ablation_figures, index_figures, methods_figures, shown, trial_figures
from bench.quality.served import histories, published, served
from bench.quality.trial import Trial, TrialError, generated_tables, read_tables, trial_of
from demo.dataset import DatasetError
from services.indexer.domain.evaluation import LIST_LENGTH
from services.indexer.search_measuring import measure_search
from services.recommender.domain.requests import MAX_RESULTS

DataOption = Annotated[Path | None, typer.Option(help="Folder with payments.parquet; companies.parquet may be there.")]
ReportOption = Annotated[Path | None, typer.Option(help="Also write the figures to this JSON file.")]
PictureOption = Annotated[Path | None, typer.Option(help="Also draw them into this file, .png or .svg.")]
RivalsOption = Annotated[Path | None, typer.Option(help="The Python that has the rivals' packages; none without it.")]
PlacesOption = Annotated[int, typer.Option("--k", min=1, max=MAX_RESULTS, help="Length of the lists that are judged.")]

MOST_TIMED = 1_000
PICTURE_MODULE = "bench.quality.rivals.picture"


def main(
    data: DataOption = None,
    report: ReportOption = None,
    picture: PictureOption = None,
    rivals_python: RivalsOption = None,
    k: PlacesOption = LIST_LENGTH,
) -> None:
    """Judges the served path and its rivals on the last fifth of time. Without --data the payments are generated."""
    console = Console(highlight=False, soft_wrap=True)
    # Standard output is for figures, and one thread is what the service has.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for path in (report, picture):
        if path and not path.absolute().parent.is_dir():
            console.print(f"eval: {path.parent}: no such folder; make it first", markup=False)
            raise typer.Exit(2)
    if picture and not rivals_python:
        console.print("eval: a picture needs the rivals' packages (--rivals-python)")
        raise typer.Exit(2)
    try:
        tables = read_tables(data) if data else generated_tables()
        trial = trial_of(*tables, data.resolve().name if data else "generated")
    except (DatasetError, TrialError) as error:
        console.print(f"eval: {error}", markup=False)
        raise typer.Exit(1) from error
    with threadpool_limits(limits=1):
        figures = run(trial, rivals_python, k, console)
    console.print(shown(figures))
    _keep(figures, report, picture, rivals_python)


def run(trial: Trial, rivals_python: Path | None, k: int, console: Console) -> dict[str, Any]:
    """All figures, told as they come."""

    def say(words: str) -> None:
        console.print(f"  {words}", markup=False)

    figures = trial_figures(trial)
    say(f"{figures['payments']:,} payments, {figures['train_payments']:,} of them until {figures['cut']}")
    with TemporaryDirectory(prefix="afin-quality-") as folder:
        snapshot = asyncio.run(published(trial, Path(folder), say))
        ours = Entrant("afin", lambda: served(snapshot, trial))
        found = {each.name: evaluate(each, trial, k, say) for each in (ours, *rivals(trial, rivals_python))}
        search = measure_search(snapshot.factors, histories(snapshot, trial, MOST_TIMED))
    pieces = ablation(trial, snapshot.manifest.choice.chosen, say)
    return {
        "data": figures,
        "k": k,
        "methods": methods_figures(found),
        **index_figures(snapshot.manifest),
        "search": asdict(search),
        "ablation": ablation_figures(pieces),
    }


def _keep(figures: Mapping[str, Any], report: Path | None, picture: Path | None, rivals_python: Path | None) -> None:
    with TemporaryDirectory(prefix="afin-quality-") as folder:
        path = report or Path(folder) / "report.json"
        path.write_text(json.dumps(figures, indent=1) + "\n")
        if picture:
            subprocess.run([str(rivals_python), "-m", PICTURE_MODULE, str(path), str(picture)], check=True)


if __name__ == "__main__":
    typer.run(main)
