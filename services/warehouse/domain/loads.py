"""A load: one manifest applied in one transaction, entered in the ledger. The rules that need no database."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.warehouse.domain.fields import WrongField, checked_epoch, checked_load_id, checked_sha256

Dataset = Literal["payments", "companies"]

# How far another machine's clock may run before ours.
CLOCK_TOLERANCE = timedelta(minutes=5)


class LoadIdTaken(ValueError):
    """The ledger holds the id with other content."""


class Fenced(ValueError):
    """A write under the epoch of a leader that another one has followed."""


class CatalogueRefused(ValueError):
    """A load of companies that would empty or cripple the catalogue."""


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """What became of each row; `retired` companies are not among the rows of the load."""

    new: int
    changed: int
    unchanged: int
    late: int = 0
    retired: int = 0

    @property
    def rows(self) -> int:
        """Every row of the load, each counted once."""
        return self.new + self.changed + self.unchanged + self.late


@dataclass(frozen=True, slots=True)
class Load:
    """An entry of the ledger; `watermark` is the dataset's after the load, None where none was ever set.

    `sequence`: the order in which loads were applied, from 1 without gaps; 0 before it is entered. A load of companies
    whose update was recorded has a later place in the same order for that.
    """

    load_id: str
    dataset: Dataset
    manifest_key: str
    manifest_sha256: str
    source_time: datetime
    counts: LoadCounts
    watermark: datetime | None
    committed_at: datetime
    sequence: int = 0
    update_sequence: int | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What a caller asks to be loaded, and how far the watermark may move with it (None: not at all).

    `accept_fewer_companies`: the caller knows that the source gave up many companies for good.
    `leader_epoch`: under which leader of ingest; 0 for a call by hand.
    """

    load_id: str
    manifest_key: str
    manifest_sha256: str
    advance_watermark_to: datetime | None = None
    accept_fewer_companies: bool = False
    leader_epoch: int = 0

    def check(self, now: datetime) -> None:
        """WrongField for anything that no state of the warehouse could make right."""
        checked_load_id(self.load_id)
        checked_sha256(self.manifest_sha256)
        checked_epoch(self.leader_epoch)
        if self.advance_watermark_to and self.advance_watermark_to > now + CLOCK_TOLERANCE:
            raise WrongField("advance_watermark_to", "lies in the future; rows dated so would never be read again")

    def recorded_answer(self, known: Load) -> Load:
        """The answer to a load that is committed already; LoadIdTaken when that was another one."""
        if known.manifest_sha256 != self.manifest_sha256:
            raise LoadIdTaken(
                f"load {self.load_id!r} was committed with another manifest; give this one an id of its own"
            )
        return replace(known, replayed=True)


@dataclass(frozen=True, slots=True)
class CatalogueSizes:
    """Of a load: `listed`: its companies, each code once; `missing`: those of the `active` ones that it does not list.

    `refused`: its rows in quarantine, each of which may be one that is missing.
    """

    listed: int
    active: int
    missing: int
    refused: int = 0

    @property
    def gone(self) -> int:
        """Active companies for whose absence no refused row accounts."""
        return max(self.missing - self.refused, 0)


def require_latest_leader(epoch: int, latest: int) -> None:
    """Fenced when a later leader than that of `epoch` is known; `latest`: the newest epoch."""
    if epoch < latest:
        raise Fenced(f"leader {epoch} was followed by leader {latest}; only the latest may write")


def require_whole_catalogue(sizes: CatalogueSizes, min_share: float) -> None:
    """CatalogueRefused for an empty catalogue, or one without `min_share` of the companies that are active now."""
    if sizes.listed == 0:
        raise CatalogueRefused("the catalogue is empty; it stays as it was. See why the source lists no company")
    if sizes.active - sizes.gone < min_share * sizes.active:
        raise CatalogueRefused(
            f"the catalogue lacks {sizes.gone} of the {sizes.active} active companies, where a share of {min_share:g} "
            "must be there (WAREHOUSE_MIN_CATALOGUE_SHARE); it stays as it was. See whether the source answered in "
            "full; if they are gone for good, run the pipeline companies with accept_fewer_companies"
        )


def require_newest_catalogue(source_time: datetime, newest: datetime | None) -> None:
    """CatalogueRefused when a catalogue read later is in force: a retried run must not bring an old one back."""
    if newest is not None and source_time < newest:
        raise CatalogueRefused(
            "a catalogue that was read later is loaded already; it stays. Run the pipeline companies anew"
        )


def require_past_source_time(source_time: datetime, now: datetime) -> None:
    """CatalogueRefused when the source's clock runs ahead: its versions would begin in the future."""
    if source_time > now + CLOCK_TOLERANCE:
        raise CatalogueRefused("the manifest's source_time lies in the future; see the source's clock and ours")
