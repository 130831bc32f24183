"""What the workflow needs of the world; the adapters just fit."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from services.contracts.receipt import Receipt
from services.ingest.domain.account import Account
from services.ingest.domain.order import ActiveRun
from services.ingest.domain.page_rows import PageRows
from services.ingest.domain.paging import PageRequest
from services.ingest.domain.runs import Pipeline, Run, RunState, Schedule
from services.ingest.domain.sifting import RefusedRow, Sifted
from services.ingest.workflow.values import (
    BuiltIndex,
    ClientDigest,
    Due,
    ErasedRows,
    LoadedRows,
    ManifestReference,
    MissingRows,
    NewRun,
    Page,
    PassFacts,
    Place,
    QuarantinePosition,
    ReconciliationStart,
    RecordedUpdate,
    RunCursor,
    StoredManifest,
    StoredParts,
    Swept,
    Verdict,
    Watermarks,
)
from services.runtime.objects.store import ObjectInfo

Fetch = Callable[[PageRequest], Coroutine[Any, Any, Page]]
"""Gives pages of one dataset. Raises SourceUnavailable or SourceRefuses."""


class Source(Protocol):
    """The source API. Each call begins a pass, whose requests share what it may cost."""

    def payments(self, since: date) -> Fetch:
        """Payments updated after a date, by id."""

    def companies(self) -> Fetch:
        """Companies, by id."""


class LakeWriter(Protocol):
    """Takes the rows of one pass, in order."""

    async def write(self, rows: Sifted) -> None:
        """Keeps rows, valid and refused; full parts are stored at once."""

    async def store(self) -> StoredParts:
        """Stores what is left; all parts so far, those that the writer began with among them."""

    async def finish(self, facts: PassFacts) -> StoredManifest:
        """Stores what is left and then the manifest of this attempt."""


class Lake(Protocol):
    """The object store as ingest lays it out; see services.contracts.lake."""

    async def check(self) -> None:
        """Raises ObjectStoreUnavailable, saying what to do."""

    async def find(self, place: Place, edition: str | None) -> StoredManifest | None:
        """The manifest of the newest attempt at a pass that came to its end.

        `edition`: of ErasedClients; payments of a pass that knew of other erasures are not found. None: any are.
        """

    async def open(self, reference: ManifestReference) -> StoredManifest:
        """The manifest that a run's row names. Raises ObjectNotFound or DataLoss."""

    async def keep_receipt(self, receipt: Receipt) -> None:
        """Stores what the lake lacks of a load's receipts, beside its manifest; again the same, it changes nothing.

        Raises AlreadyExists when the lake tells something else of the load.
        """

    def writer(self, place: Place, attempt: int, earlier: StoredParts) -> LakeWriter:
        """Begins an attempt, with the parts of earlier ones; its number makes the names of its own parts its own."""

    async def holds(self, place: Place, parts: StoredParts) -> bool:
        """Whether all of these parts are still there."""

    async def objects(self, place: Place) -> list[ObjectInfo]:
        """All objects of a run."""

    async def remove_orphans(
        self, objects: Sequence[ObjectInfo], saved: ManifestReference | None, edition: str
    ) -> Swept:
        """Deletes those of a run's objects that no manifest in force names; `saved`: the one that its row names.

        Where neither row nor receipt names one, that is in force which `find` would give for this edition.

        Raises NotFound or DataLoss, having deleted nothing, when a manifest in force is gone or damaged.
        """

    async def reasons(self, stored: StoredManifest) -> dict[str, int]:
        """How many rows of the quarantine have which reason, most frequent first."""

    async def refused_rows(
        self, stored: StoredManifest, start: QuarantinePosition, limit: int
    ) -> tuple[list[RefusedRow], QuarantinePosition | None]:
        """Rows of the quarantine from a place on, few enough for one message; and the next place."""

    def reread(self, stored: StoredManifest) -> AsyncGenerator[PageRows, None]:
        """All rows of the quarantine, as if the source gave them anew, a part at a time."""


class Warehouse(Protocol):
    """The service warehouse, as one leader calls it. Raises Unavailable, PeerRefused, or LeadershipLost on a write."""

    async def announce_leader(self) -> None:
        """Has it refuse what earlier leaders write from now on; what one of them is writing is ended first."""

    async def watermarks(self) -> Watermarks:
        """Where payments and companies stand."""

    async def load_payments(self, load_id: str, manifest: ManifestReference, watermark: datetime | None) -> LoadedRows:
        """Loads a manifest, and moves the watermark with it unless it is None."""

    async def load_companies(self, load_id: str, manifest: ManifestReference, *, accept_fewer: bool) -> LoadedRows:
        """Replaces the catalogue by a manifest; `accept_fewer`: by one that lacks many active companies, too."""

    async def record_companies_update(self, load_id: str) -> RecordedUpdate:
        """Notes that the catalogue is complete as of a committed load."""

    async def erase_client(self, erasure_id: str, client: ClientDigest, created_until: datetime) -> ErasedRows:
        """Removes a client's observations; what all calls for this erasure have removed."""

    async def replace_manifest(self, load_id: str, manifest: ManifestReference) -> bool:
        """Has a load's entry in the ledger name another manifest; False when it was never committed."""

    async def reconciliation_start(self) -> ReconciliationStart:
        """What a full pass has to know before it begins."""

    async def report_missing(self, load_id: str, begun_sequence: int) -> MissingRows:
        """Has a loaded full pass compared with what stands, and the payments that it did not show kept by key."""

    async def find_load(self, load_id: str) -> LoadedRows | None:
        """A committed load, as the ledger has it; None without one."""


class Indexer(Protocol):
    """The service indexer. Raises Unavailable or PeerRefused."""

    async def build(self, build_id: str, on_stage: Callable[[str, str], None]) -> BuiltIndex:
        """Builds an index version; tells each stage and its detail."""

    async def validate_and_publish(self, version: str) -> Verdict:
        """Validates a version, and publishes it when it passes."""

    async def refresh_histories(self) -> None:
        """Has it told what changed since the index in service was built; cheap when nothing did."""


class RunTable(Protocol):
    """Runs as triggers and readers need them. Every method raises Unavailable when the database is away."""

    async def create(self, new: NewRun) -> Run:
        """Enters a run; the one of the same request id if there is one. Raises RunActive."""

    async def get(self, run_id: UUID) -> Run:
        """One run with its steps, or NotFound."""

    async def newest(self, pipeline: Pipeline | None, limit: int, after: RunCursor | None) -> list[Run]:
        """Runs, newest first, from behind a cursor on."""

    async def retry(self, run_id: UUID) -> Run:
        """Queues an ended run again. Raises NotFound, RunActive, or FailedPrecondition where it did not fail."""

    async def request_cancel(self, run_id: UUID) -> Run:
        """Ends a queued run, and asks the leader to end a running one. FailedPrecondition when it has ended."""


class WorkTable(Protocol):
    """Runs as the leader works on them. Writes under an outdated attempt raise LeadershipLost and change nothing."""

    async def active(self) -> list[ActiveRun]:
        """Runs that have not ended, oldest first."""

    async def take(self, run_id: UUID) -> Run | None:
        """Begins an attempt at an active run; None when it has ended meanwhile."""

    async def begin_step(self, run: Run, position: int) -> int:
        """Marks a step as running; how many times it was begun."""

    async def note(self, run: Run, position: int, counts: dict[str, int], detail: str) -> bool:
        """Writes how far a step is; whether the run is to be cancelled."""

    async def keep(self, run: Run, position: int, checkpoint: dict[str, object]) -> None:
        """Keeps what the next attempt at the step goes on from, until the step succeeds."""

    async def complete_step(self, run: Run, position: int, output: dict[str, object], account: Account | None) -> None:
        """Marks a step as succeeded with what later steps need of it, and enters the run's account if it is known."""

    async def end(self, run: Run, outcome: RunState, error: str = "") -> None:
        """Ends the run, and its running step with it."""


class RunHistory(Protocol):
    """What is told of runs that have ended. Every method raises Unavailable."""

    async def last_successes(self) -> dict[Pipeline, datetime]:
        """When a run of each pipeline last succeeded."""

    async def open_quarantine(self) -> dict[Pipeline, int]:
        """Rows that the newest loaded run of each pipeline refused, and no replay of it has taken up."""


class SweepTable(Protocol):
    """Runs of which the lake may hold objects that nobody names. Every method raises Unavailable."""

    async def due(self, ended_before: datetime, limit: int) -> list[Run]:
        """Runs that ended before that and were not swept since, the oldest end first."""

    async def unsuccessful(self, limit: int) -> list[Run]:
        """Runs that failed or were cancelled and were not swept since, the oldest end first."""

    async def release(self, run_id: UUID, ended_before: datetime) -> Run | None:
        """The run, whose next attempt will go on from no part of an earlier one; None if it must not be swept now.

        That is when it did not end before the given time, and while an erasure is queued or at work. Raises
        LeadershipLost when there was a later leader.
        """

    async def note_swept(self, run: Run) -> None:
        """Enters that nothing is left to sweep of the run, as it ended then."""


class ScheduleTable(Protocol):
    """Schedules, kept where they outlive the process."""

    async def put(self, crons: dict[Pipeline, str]) -> None:
        """Enters new schedules, replaces the times of known ones, paused ones staying so, and drops all others."""

    async def all(self) -> list[Schedule]:
        """All schedules, by pipeline."""

    async def set_paused(self, pipeline: Pipeline, *, paused: bool) -> Schedule:
        """Pauses or resumes; resumed, it fires from its next time on. Unavailable before `put` was ever called.

        NotFound for a pipeline without a schedule.
        """

    async def catch_up(
        self, pipeline: Pipeline, decide: Callable[[Schedule], datetime | None], make: Callable[[datetime], NewRun]
    ) -> Due:
        """Creates the run that is due, if any, and settles its time, in one transaction.

        Blocked when a run of the pipeline is active: the time stays due.
        """


class Cron(Protocol):
    """Five-field cron expressions in UTC."""

    def __call__(self, expression: str, after: datetime) -> datetime | None:
        """The first time strictly after a moment."""
