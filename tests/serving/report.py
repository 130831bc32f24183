"""What came of all parts, as people read it."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def show(report: Mapping[str, Any], console: Console) -> None:
    """The figures as a table a part, and what went wrong."""
    for part, found in report["parts"].items():
        table = Table("figure", "value", title=f"Serving: {part}")
        for name, value in _flat(found):
            table.add_row(name, str(value))
        console.print(table)
    for problem in report["problems"]:
        console.print(f"[red]{problem}[/red]")


def _flat(found: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in found.items():
        if name == "problems" or (isinstance(value, list) and len(value) > 10):
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name.replace('_', ' ')}: ")
        else:
            yield f"{above}{name.replace('_', ' ')}", value
