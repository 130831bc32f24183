"""The lake: how ingest lays payments and companies down, and the warehouse finds them.

    raw/<dataset>/updated_date=<first day of the window>/run=<run id>/part-<attempt>-<number>.parquet
    raw/<dataset>/updated_date=<first day of the window>/run=<run id>/manifest-<attempt>.json
    quarantine/<dataset>/updated_date=…/run=<run id>/part-<attempt>-<number>.parquet

Objects are written once, if absent, the manifest last. A part that no manifest names does not exist for readers, nor
does a manifest that the run's row in ingest's database does not name: of several attempts at a run one counts, and one
that was paused and goes on later writes what nobody looks at. After the load a receipt joins them: see
services.contracts.receipt.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.contracts.sealed import Sealed

Dataset = Literal["payments", "companies"]
Area = Literal["raw", "quarantine"]
Kind = Literal["part", "manifest", "receipt"]

MANIFEST_NAME = re.compile(r".+/manifest-([0-9]{2,9})\.json")
PART_NAME = re.compile(r".+/part-[0-9]{2,9}-[0-9]{5,9}\.parquet")
# Attempts from this number on are no attempts at the run: an erasure wrote its objects anew, without a client.
REWRITTEN = 1_000_000
PAYMENTS_OBJECT = re.compile(
    r"(?P<area>raw|quarantine)/payments/updated_date=(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/run=(?P<run_id>[0-9a-f-]{36})/"
    r"(?P<kind>part|manifest|receipt)-(?P<number>[0-9]{1,9})(?:-[0-9]+)?\.(?:parquet|json)"
)
TIMESTAMP = pa.timestamp("us", tz="UTC")
# `position`: the row's place in its run, from 0. Of two rows with one key and updated_at, the one read later wins.
PAYMENTS_SCHEMA = pa.schema(
    [
        pa.field("payment_id", pa.string(), nullable=False),
        pa.field("company_code", pa.string(), nullable=False),
        pa.field("payment_at", TIMESTAMP),
        pa.field("status", pa.string(), nullable=False),
        pa.field("amount", pa.decimal128(18, 2), nullable=False),
        pa.field("external_client_id", pa.string(), nullable=False),
        pa.field("created_at", TIMESTAMP, nullable=False),
        pa.field("updated_at", TIMESTAMP, nullable=False),
        pa.field("position", pa.int64(), nullable=False),
    ]
)
COMPANIES_SCHEMA = pa.schema(
    [
        pa.field("company_id", pa.int64(), nullable=False),
        pa.field("company_code", pa.string(), nullable=False),
        pa.field("company_name", pa.string(), nullable=False),
        pa.field("category_id", pa.int64()),
        pa.field("category_name", pa.string()),
        pa.field("is_top_biller", pa.bool_()),
        pa.field("position", pa.int64(), nullable=False),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [pa.field("reason", pa.string(), nullable=False), pa.field("raw", pa.string(), nullable=False)]
)


class Part(BaseModel):
    """One Parquet object, by key, with what must agree before it is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    rows: int = Field(ge=0)
    size: int = Field(ge=0, description="bytes")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class LakeManifest(Sealed):
    """What one run read: read = rows of parts + rows of quarantine."""

    schema_version: Literal[1] = 1
    dataset: Dataset
    run_id: str
    code_version: str
    since: date | None = Field(
        description="The date the source was asked for; None for a catalogue, and for replayed rows."
    )
    source_time: AwareDatetime = Field(description="The source's own clock when the pass began.")
    newest_updated_at: AwareDatetime | None = Field(description="Of the valid payments; None without any.")
    erasures: str = Field(
        "", description="Which erased clients are left out of payments, as services.ingest names it; empty: none."
    )
    parts: tuple[Part, ...]
    quarantine: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """Valid rows."""
        return sum(part.rows for part in self.parts)

    @property
    def is_whole(self) -> bool:
        """No row was refused: a company that is not listed is gone."""
        return self.quarantined == 0

    @property
    def quarantined(self) -> int:
        """Rows refused."""
        return sum(part.rows for part in self.quarantine)


def run_folder(area: Area, dataset: Dataset, day: date, run_id: str) -> str:
    """The folder of a run's objects, without a slash at its end. `day`: first day of the window, or of the pass."""
    return f"{area}/{dataset}/updated_date={day.isoformat()}/run={run_id}"


def part_key(folder: str, attempt: int, number: int) -> str:
    """A part's key. Each attempt at a run writes new names: nothing is ever overwritten."""
    return f"{folder}/part-{attempt:02d}-{number:05d}.parquet"


def manifest_key(folder: str, attempt: int) -> str:
    """The key of an attempt's manifest."""
    return f"{folder}/manifest-{attempt:02d}.json"


def manifest_attempt(key: str) -> int | None:
    """Which attempt stored a manifest; None for the key of anything else."""
    found = MANIFEST_NAME.fullmatch(key)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class PaymentsObject:
    """An object of the lake by its key; `number`: of the attempt at its run, or of a receipt's generation."""

    key: str
    area: Area
    day: date
    run_id: str
    kind: Kind
    number: int


def payments_object(key: str) -> PaymentsObject | None:
    """What a key of payments names; None for whatever does not look like one of ours."""
    found = PAYMENTS_OBJECT.fullmatch(key)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        return None
    area, kind = cast("Area", found["area"]), cast("Kind", found["kind"])
    return PaymentsObject(key, area, day, found["run_id"], kind, int(found["number"]))


def is_attempts_object(key: str) -> bool:
    """Whether an attempt stored it under a name of its own: a part or a manifest, no receipt and nothing unknown."""
    return bool(MANIFEST_NAME.fullmatch(key) or PART_NAME.fullmatch(key))


def latest(old: datetime | None, new: datetime | None) -> datetime | None:
    """The later of two moments, either of which may be missing: a watermark never moves back."""
    known = [moment for moment in (old, new) if moment is not None]
    return max(known, default=None)
