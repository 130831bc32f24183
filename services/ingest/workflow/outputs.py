"""What a step leaves for later ones, as it is stored with the run: JSON that a newer version can still read."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.ingest.domain.window import LAST_DAY, DayRange
from services.ingest.workflow.values import ManifestReference


class StepOutput(BaseModel):
    """Frozen; fields that this version does not know are ignored."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """From the stored JSON."""
        return cls.model_validate(stored)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return self.model_dump(mode="json")


class WindowOutput(StepOutput):
    """The window of a pass: the date the source is asked for, and the watermark that it came from."""

    since: date
    watermark: AwareDatetime | None


class FullWindowOutput(WindowOutput):
    """The window of a full pass, its first day, and the ledger's place before it began."""

    first_day: date
    begun_sequence: int

    @property
    def days(self) -> DayRange:
        """What is taken of what the source gives."""
        return DayRange(self.first_day, LAST_DAY)


class SavedOutput(StepOutput):
    """Where the rows of the pass stand in the lake, and how far they would move the watermark."""

    manifest_key: str
    manifest_sha256: str
    rows: int
    quarantined: int
    reached: AwareDatetime | None

    @property
    def manifest(self) -> ManifestReference:
        """Where the manifest stands, and which one is meant."""
        return ManifestReference(self.manifest_key, self.manifest_sha256)


class IndexOutput(StepOutput):
    """The index version that was built."""

    version: str


class CompaniesParameters(StepOutput):
    """Whether a catalogue without many of the active companies is meant."""

    accept_fewer_companies: bool = False


class ErasureParameters(StepOutput):
    """Whom an erasure is of, in hex; never the id."""

    client_digest: str

    @property
    def digest(self) -> bytes:
        """32 bytes."""
        return bytes.fromhex(self.client_digest)


class ReplayParameters(StepOutput):
    """The run whose refused rows are replayed, and the manifest that names them."""

    run_id: str
    manifest_key: str
    manifest_sha256: str

    @property
    def manifest(self) -> ManifestReference:
        """As a reference."""
        return ManifestReference(self.manifest_key, self.manifest_sha256)


class BackfillParameters(StepOutput):
    """The days that a backfill was asked for."""

    first_day: date
    last_day: date

    @property
    def days(self) -> DayRange:
        """As a range."""
        return DayRange(self.first_day, self.last_day)
