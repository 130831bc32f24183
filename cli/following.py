"""A run on the screen while it works: a line for each step that has ended, and a moving one for the step at work."""

from rich.console import Console
from rich.spinner import Spinner
from rich.text import Text

from afin.ingest.v1 import ingest_pb2
from cli.progress import Before, counts_text, moving_text, step_seconds
from services.runtime.clock import utc_now

PENDING = ingest_pb2.STEP_STATE_PENDING
RUNNING = ingest_pb2.STEP_STATE_RUNNING
MARKS = {
    ingest_pb2.STEP_STATE_SUCCEEDED: Text("✓", "green"),
    ingest_pb2.STEP_STATE_FAILED: Text("✗", "red"),
    ingest_pb2.STEP_STATE_CANCELLED: Text("–", "yellow"),
    RUNNING: Text("▸", "cyan"),
    PENDING: Text("·", "dim"),
}


class RunFollower:
    """Prints each step of a run when it ends; `moving` shows the running one with its growing counts."""

    def __init__(self, console: Console, before: Before) -> None:
        self._console = console
        self._before = before
        self._told: set[str] = set()
        self._at_work: ingest_pb2.Step | None = None
        self._spinner = Spinner("dots")

    def __call__(self, run: ingest_pb2.Run) -> None:
        """Takes the run as it stands now."""
        self._at_work = next((step for step in run.steps if step.state == RUNNING), None)
        for step in run.steps:
            if step.state not in (PENDING, RUNNING) and step.name not in self._told:
                self._told.add(step.name)
                self._tell(step)

    def moving(self) -> Spinner:
        """The line for now: it is asked for again and again."""
        step = self._at_work
        text = "waiting" if step is None else moving_text(step, self._before.get(step.name), utc_now())
        self._spinner.update(text=Text(text, overflow="ellipsis", no_wrap=True))
        return self._spinner

    def _tell(self, step: ingest_pb2.Step) -> None:
        line = f" {step.name:<30} {step_seconds(step):>7.1f} s  {counts_text(step)}"
        self._console.print(Text.assemble("  ", mark_of(step), line))


def mark_of(step: ingest_pb2.Step) -> Text:
    """The sign of its state; a question mark for one that this version does not know."""
    return MARKS.get(step.state, Text("?"))
