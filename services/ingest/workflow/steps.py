"""What a step is: a small function that knows neither schedule nor RPC and may be run again at any time."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from services.ingest.domain.account import Account
from services.ingest.domain.runs import Outputs, Run
from services.ingest.domain.window import WindowRules
from services.ingest.workflow.erasure_ports import ErasureRecords, ErasureTable, LakeEraser
from services.ingest.workflow.outputs import StepOutput
from services.ingest.workflow.ports import Indexer, Lake, Source, Warehouse

Output = TypeVar("Output", bound=StepOutput)


@dataclass(frozen=True, slots=True)
class ReadRules:
    """How a pass reads the source, and how much it puts up with.

    `max_requests` and `timeout` end a pass that would never end; `max_quarantine_share`: refused rows / rows read;
    `checkpoint_rows`: how many are looked at until the pass keeps its place again.
    """

    page_limit: int
    pages_in_flight: int
    checkpoint_rows: int
    max_requests: int
    timeout: timedelta
    max_quarantine_share: float


@dataclass(frozen=True, slots=True)
class Tools:
    """Ports and rules that steps work with."""

    source: Source
    lake: Lake
    warehouse: Warehouse
    indexer: Indexer
    erasures: ErasureTable
    records: ErasureRecords
    eraser: LakeEraser
    windows: WindowRules
    reading: ReadRules


class Progress:
    """How far a step is: it writes, the executor reads and stores."""

    def __init__(self, *, is_committing: bool = False) -> None:
        self.counts: dict[str, int] = {}
        self.detail = ""
        self.is_committing = is_committing

    def count(self, **counts: int) -> None:
        """Sets counts by name."""
        self.counts.update(counts)

    def commit(self) -> None:
        """From here on the step goes to its end before a cancellation counts: what it asks for may be done already."""
        self.is_committing = True

    def say(self, detail: str) -> None:
        """Sets what the step is doing now, or what came of it."""
        self.detail = detail


Keep = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may use. `outputs`: those of earlier steps, by name; `attempt`: times the step was begun.

    `checkpoint`: what an earlier attempt had `keep` keep last, empty without; `keep` raises Unavailable.
    """

    run: Run
    attempt: int
    tools: Tools
    progress: Progress
    outputs: Outputs
    checkpoint: Mapping[str, Any]
    keep: Keep

    @property
    def run_id(self) -> str:
        """The id that all ids sent on are made from, so that a call that is repeated changes nothing."""
        return str(self.run.run_id)

    def output(self, step: str, kind: type[Output]) -> Output:
        """What an earlier step left."""
        return kind.read(self.outputs[step])


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step leaves: `output` for later ones, `account` if it is the one that loads."""

    output: dict[str, Any] = field(default_factory=dict)
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A named step of a pipeline."""

    name: str
    work: Callable[[StepContext], Awaitable[StepResult]]
