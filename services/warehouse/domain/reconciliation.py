"""A full pass over the source beside what stands: which payments the source does not show any more."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.warehouse.domain.fields import WrongField, checked_epoch, checked_load_id


class ReportTaken(ValueError):
    """The pass was compared already, from another place in the ledger."""


class NotAPass(ValueError):
    """The load is none of a pass over the source."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a full pass begins: the oldest `updated_at` there is (None without any), and the ledger's newest place.

    What loads beyond that place told of is not missing, whatever the pass shows: the source had it meanwhile.
    """

    first_updated_at: datetime | None
    sequence: int


# By key: a report on a source that shows next to nothing must not fill the disk.
MOST_LISTED = 100_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare: the pass that a load brought, begun when the ledger stood at `begun_sequence`.

    `leader_epoch`: of the leader of ingest that asks; 0: another caller. `most_listed`: how many missing payments are
    kept by key; all are counted.
    """

    load_id: str
    begun_sequence: int
    leader_epoch: int = 0
    most_listed: int = MOST_LISTED

    def check(self) -> None:
        """WrongField for what names no load, or no place in a ledger."""
        checked_load_id(self.load_id)
        checked_epoch(self.leader_epoch)
        if self.begun_sequence < 0:
            raise WrongField("begun_sequence", "must be as GetReconciliationStart gave it")


@dataclass(frozen=True, slots=True)
class MissingReport:
    """Of `compared` current payments `missing` were not in the pass, `listed` of which are kept by key."""

    load_id: str
    begun_sequence: int
    compared: int
    missing: int
    listed: int
    reported_at: datetime
    replayed: bool = False

    def as_answer_to(self, asked: Comparison) -> "MissingReport":
        """The answer to a comparison that was made already; ReportTaken when that was another one."""
        if self.begun_sequence != asked.begun_sequence:
            raise ReportTaken(f"load {asked.load_id!r} was compared already, begun at place {self.begun_sequence}")
        return replace(self, replayed=True)


@dataclass(frozen=True, slots=True)
class MissingPayment:
    """A payment that stands current and that the source does not show any more; `updated_at` as last observed."""

    payment_id: str
    company_code: str
    updated_at: datetime
