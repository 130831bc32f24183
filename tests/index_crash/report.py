"""What came of all runs, as people and programs read it."""

from typing import Any

from rich.console import Console
from rich.table import Table

from tests.index_crash.rounds import Outcome


def as_json(outcomes: dict[int, Outcome]) -> dict[str, Any]:
    """The figures of all seasons together; `outcomes`: by seed."""
    each = outcomes.values()
    kills = sum((outcome.kills for outcome in each), start=type(Outcome().kills)())
    return {
        "runs": sum(outcome.runs for outcome in each),
        "kills": kills.total(),
        "problems": [f"seed {seed}, {problem}" for seed, outcome in outcomes.items() for problem in outcome.problems],
        "answers": sum(outcome.answers for outcome in each),
        "epochs": sum(outcome.epochs for outcome in each),
        "repeated_calls": sum(outcome.repeated_calls for outcome in each),
        "seconds": round(sum(outcome.seconds for outcome in each), 1),
        "seeds": list(outcomes),
        "kills_by_place": dict(kills.most_common()),
    }


def show(report: dict[str, Any], console: Console) -> None:
    """The figures as a table, and what went wrong."""
    table = Table("figure", "value", title="Crash test of the index")
    for name, value in report.items():
        if isinstance(value, (int, float)):
            table.add_row(name.replace("_", " "), str(value))
    console.print(table)
    console.print("killed: " + ", ".join(f"{count} {place}" for place, count in report["kills_by_place"].items()))
    for problem in report["problems"]:
        console.print(f"[red]{problem}[/red]")
