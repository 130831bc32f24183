"""`afin check-data`: whether own payments and companies can be used, what is wrong, and how to mend it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.ending import FAILED
from cli.screen import Screen
from services.runtime.clock import utc_now

if TYPE_CHECKING:
    from demo.check import Findings

FolderArgument = Annotated[
    Path,
    typer.Argument(
        help="Holds payments and companies, each .parquet or .csv.", metavar="FOLDER", exists=True, file_okay=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def check_data(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Checks own data for `afin demo --data`: files, columns, types, values. Exit 1 while something must be mended."""
    # Arrow takes a while to import; other commands do without.
    from demo.check import check_folder  # noqa: PLC0415

    findings, screen = check_folder(folder, utc_now()), Screen()
    if as_json:
        screen.json(_told(findings))
    else:
        _print(findings, folder, screen)
    if findings.problems:
        raise typer.Exit(FAILED)


def _print(findings: "Findings", folder: Path, screen: Screen) -> None:
    for each in findings.files:
        if each.columns:
            screen.say(f"{each.path}: {each.rows:,} rows; {', '.join(each.columns)}")
    for problem in findings.problems:
        screen.say(f"✗ {problem.place}{problem.found}")
        screen.say(f"    {problem.mend}")
    for remark in findings.remarks:
        screen.say(f"! {remark}")
    if findings.problems:
        screen.fail(f"{len(findings.problems)} to mend, then again: afin check-data {folder}")
    else:
        screen.say(f"✓ can be used: afin demo --data {folder} --state .afin-own")


def _told(findings: "Findings") -> dict[str, Any]:
    return {
        "ok": not findings.problems,
        "files": [{"path": str(each.path), "rows": each.rows, "columns": each.columns} for each in findings.files],
        "problems": [{"place": each.place, "found": each.found, "mend": each.mend} for each in findings.problems],
        "remarks": findings.remarks,
    }
