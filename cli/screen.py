"""What a person sees of a command: lines as things happen, and one moving line for what goes on now."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC

from rich.console import Console
from rich.status import Status

from afin.ingest.v1 import ingest_pb2

PENDING = ingest_pb2.STEP_STATE_PENDING
RUNNING = ingest_pb2.STEP_STATE_RUNNING
MARKS = {
    ingest_pb2.STEP_STATE_SUCCEEDED: "[green]✓[/]",
    ingest_pb2.STEP_STATE_FAILED: "[red]✗[/]",
    ingest_pb2.STEP_STATE_CANCELLED: "[yellow]–[/]",
}


class Screen:
    """Prints to a terminal with colours and motion, elsewhere as plain lines."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        # From here on there is nothing left to finish: to be stopped is a good end.
        self.is_serving = False
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def title(self, words: str) -> None:
        """Begins a part."""
        self.console.print(f"\n[bold]{words}[/]")

    def say(self, words: str) -> None:
        """Tells one thing that happened."""
        self.console.print(f"  {words}", markup=False)

    def fail(self, words: str) -> None:
        """Tells, on stderr, why the command ends."""
        self._errors.print(f"afin: {words}", markup=False)

    @contextmanager
    def following(self) -> Iterator["RunFollower"]:
        """Follows one run on the screen."""
        with self.console.status("starting") as status:
            yield RunFollower(self.console, status)


class RunFollower:
    """Prints each step of a run when it ends; shows the running one with its growing counts."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console = console
        self._status = status
        self._told: set[str] = set()

    def __call__(self, run: ingest_pb2.Run) -> None:
        """Takes the run as it stands now."""
        for step in run.steps:
            if step.state == RUNNING:
                self._status.update(f"{step.name} {_counts(step)} {step.detail}")
            elif step.state != PENDING and step.name not in self._told:
                self._told.add(step.name)
                self._console.print(f"  {MARKS[step.state]} {step.name:<30} {_seconds(step):>7.1f} s  {_counts(step)}")


def _counts(step: ingest_pb2.Step) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(step.counts.items()))


def _seconds(step: ingest_pb2.Step) -> float:
    return (step.ended_at.ToDatetime(tzinfo=UTC) - step.started_at.ToDatetime(tzinfo=UTC)).total_seconds()
