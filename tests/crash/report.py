"""What came of all runs, as people and programs read it."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.crash.processes import Deaths
from tests.crash.verdict import Verdict

MUST_BE_ZERO = ("mismatches", "duplicates", "gaps", "lost")


@dataclass
class Report:
    """Grows run by run. `kills` are processes and database backends that SIGKILL ended; `indexes`: published ones."""

    seed: int
    console: Console
    runs: int = 0
    mismatches: int = 0
    duplicates: int = 0
    gaps: int = 0
    lost: int = 0
    retried: int = 0
    rebuilds: int = 0
    indexes: int = 0
    pipelines: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    takeovers: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0

    @property
    def is_good(self) -> bool:
        """Every run left the warehouse of an undisturbed one."""
        return not any(getattr(self, name) for name in MUST_BE_ZERO)

    def add_run(self, pipeline: str, verdict: Verdict, where: str) -> None:
        """One run, judged."""
        self.runs += 1
        self.pipelines[pipeline] += 1
        self.lost += verdict.lost
        self.duplicates += verdict.duplicates
        self.gaps += verdict.gaps
        self._add_problems(verdict, f"{where}, {pipeline}")

    def add_rebuild(self, verdict: Verdict, where: str) -> None:
        """The warehouse that was built again from a season's lake, judged."""
        self.rebuilds += 1
        self._add_problems(verdict, f"{where}, rebuild")

    def add_failure(self, seed: int, errors: BaseExceptionGroup[Exception]) -> None:
        """A season that a service ended before its time."""
        self.mismatches += 1
        self.problems += [f"season {seed}: {error}" for error in errors.exceptions]

    def add_deaths(self, deaths: Deaths) -> None:
        """Of one season."""
        self.kills += deaths.kills
        self.takeovers += deaths.takeovers

    def _add_problems(self, verdict: Verdict, where: str) -> None:
        if not verdict.is_good:
            self.mismatches += 1
            self.problems.append(f"{where}: {verdict}")
            self.console.print(f"[red]{self.problems[-1]}[/red]")

    def as_json(self) -> dict[str, Any]:
        """The figures."""
        killed = self.kills + Counter({name: count for name, count in self.faults.items() if name == "backend killed"})
        return {
            "runs": self.runs,
            "kills": killed.total(),
            **{name: getattr(self, name) for name in MUST_BE_ZERO},
            "seed": self.seed,
            "retried_runs": self.retried,
            "rebuilds": self.rebuilds,
            "indexes": self.indexes,
            "seconds": round(self.seconds, 1),
            "seconds_a_run": round(self.seconds / max(self.runs, 1), 2),
            "takeovers": len(self.takeovers),
            "takeover_seconds_max": round(max(self.takeovers, default=0), 2),
            "pipelines": dict(self.pipelines.most_common()),
            "kills_by_place": dict(killed.most_common()),
            "faults": dict(self.faults.most_common()),
            "problems": self.problems,
        }

    def write(self, path: Path) -> None:
        """The figures, as a file."""
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n")

    def show(self) -> None:
        """The figures, as a table, and what went wrong."""
        table = Table("figure", "value", title="Crash test")
        for name, value in self.as_json().items():
            if not isinstance(value, (dict, list)):
                table.add_row(name.replace("_", " "), str(value))
        self.console.print(table)
        for name, counts in (("killed", self.kills), ("other faults", self.faults)):
            self.console.print(f"{name}: " + ", ".join(f"{count} {what}" for what, count in counts.most_common()))
        for problem in self.problems:
            self.console.print(f"[red]{problem}[/red]")
