"""`afin demo`: the main job from the source to recommendations, with its figures."""

from pathlib import Path
from typing import Annotated

import typer

from cli.screen import Screen
from cli.session import run_session
from cli.up_command import DEFAULT_STATE, FreePortsOption, StateOption
from demo.stack.options import FIXED_PORTS, free_ports, options_from_environment

DataOption = Annotated[Path | None, typer.Option(help="Folder with payments and companies, each .parquet or .csv.")]
OnceOption = Annotated[bool, typer.Option("--once", help="End after the job instead of serving on.")]
ReportOption = Annotated[Path | None, typer.Option(help="Also write the figures to this JSON file.")]


def demo(
    data: DataOption = None,
    once: OnceOption = False,
    report: ReportOption = None,
    state: StateOption = DEFAULT_STATE,
    free: FreePortsOption = False,
) -> None:
    """Runs the main job on real parts: source, ingest, warehouse, index, recommendations. Then serves on.

    Without --data the payments are generated. State persists: a second run reads again and finds nothing new.
    """
    # The whole suite takes a second to import; other commands do without.
    from cli.demo_job import run_job  # noqa: PLC0415

    screen = Screen()
    options = options_from_environment(state, free_ports() if free else FIXED_PORTS)
    run_session(run_job(options, data, once, report, screen), screen)
