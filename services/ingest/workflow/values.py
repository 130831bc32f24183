"""What the steps and their ports hand to each other."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.contracts.lake import Dataset, LakeManifest, Part, PaymentsObject
from services.contracts.receipt import Receipt
from services.ingest.domain.page_rows import PageRows
from services.ingest.domain.runs import Pipeline, Trigger


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the source, and its clock at that moment. `busy`: the source asked for rest before it gave it."""

    rows: PageRows
    source_time: datetime
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the lake a run's objects stand. `day` must not change when the run is taken up again."""

    dataset: Dataset
    day: date
    run_id: str


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What a manifest says of its pass beyond its parts; `erasures`: the edition of those whose clients it left out."""

    since: date | None
    source_time: datetime
    newest_updated_at: datetime | None
    erasures: str = ""


@dataclass(frozen=True, slots=True)
class StoredParts:
    """Parts of a pass that lie in the lake, though no manifest names them yet."""

    rows: tuple[Part, ...] = ()
    refused: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest as it stands in the lake; `sha256` of its bytes."""

    key: str
    sha256: str
    manifest: LakeManifest

    @property
    def reference(self) -> "ManifestReference":
        """To find it again."""
        return ManifestReference(self.key, self.sha256)


@dataclass(frozen=True, slots=True)
class ManifestReference:
    """What another service needs to find a manifest, and to know that it is the one meant."""

    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What was removed of a run; `size` in bytes."""

    objects: int
    size: int


@dataclass(frozen=True, slots=True)
class QuarantinePosition:
    """A place in a run's quarantine: the part, counted from 0, and the row in it."""

    part: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class RunObjects:
    """All objects of payments that a run left in the lake, whoever names them: parts, manifests, receipts."""

    place: Place
    objects: tuple[PaymentsObject, ...]


@dataclass(frozen=True, slots=True)
class LakeErasure:
    """What was taken out of the lake: objects written anew or deleted, rows of raw ones, rows of the quarantine."""

    objects: int = 0
    rows: int = 0
    quarantined: int = 0

    def __add__(self, more: "LakeErasure") -> "LakeErasure":
        """Both together."""
        return LakeErasure(self.objects + more.objects, self.rows + more.rows, self.quarantined + more.quarantined)


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """What the warehouse says of a committed load; `receipt`: what the lake keeps of it."""

    rows: int
    new: int
    changed: int
    unchanged: int
    late: int
    retired: int
    replayed: bool
    watermark: datetime | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class RecordedUpdate:
    """Since when the catalogue is complete, and the receipt of its load that tells so."""

    companies: datetime
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ClientDigest:
    """A client without the id; see services.ingest.domain.erasure."""

    salt: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """What the warehouse removed: versions and observations that only confirmed one."""

    versions: int
    confirmations: int


@dataclass(frozen=True, slots=True)
class Watermarks:
    """Up to where the warehouse is complete; None before the first load."""

    payments: datetime | None
    companies: datetime | None


@dataclass(frozen=True, slots=True)
class ReconciliationStart:
    """The oldest `updated_at` that the warehouse knows (None without any), and the newest place of its ledger."""

    first_updated_at: datetime | None
    sequence: int


@dataclass(frozen=True, slots=True)
class MissingRows:
    """Of `compared` current payments, those `missing` from a full pass over the source."""

    compared: int
    missing: int


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """An index version as the indexer built it."""

    version: str
    companies: int
    indexed_companies: int
    clients: int
    training_payments: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the validation of an index version found. `epoch`: under which it was published; None: it was not.

    `drift`: for a person, what changed against the version that was in service; empty where there was none.
    """

    passed: bool
    failed_checks: tuple[str, ...]
    epoch: int | None
    drift: str


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to be made; `steps`: names in order."""

    run_id: UUID
    pipeline: Pipeline
    trigger: Trigger
    logical_time: datetime
    request_id: str | None
    steps: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)


class Due(StrEnum):
    """What came of a look at a schedule."""

    NOTHING = "nothing"
    CREATED = "created"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class RunCursor:
    """A place in the list of runs, newest first."""

    created_at: datetime
    run_id: UUID
