"""The new rows of a page, good ones apart from bad ones: one bad row never stops good ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

import pyarrow as pa
import pyarrow.compute as pc

from services.contracts.lake import TIMESTAMP
from services.ingest.domain.page_rows import TOLERANCES, UPDATED_AT, PageRows, newest_of
from services.ingest.domain.window import ONE_DAY, DayRange

AT, REASON, POSITION = "at", "reason", "position"


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row for the quarantine: why, and the text that the source gave."""

    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Sifted:
    """What became of some rows of the source.

    `taken`: columns of the dataset's schema in the lake. `out_of_range` were left aside, for a backfill asked for other
    days; `erased`, for their client was erased.
    """

    taken: pa.RecordBatch
    refused: list[RefusedRow]
    out_of_range: int = 0
    erased: int = 0

    @property
    def read(self) -> int:
        """Rows that enter the run's account."""
        return len(self.taken) + len(self.refused)

    @property
    def newest(self) -> datetime | None:
        """The newest `updated_at` of the payments taken; None without any."""
        if UPDATED_AT not in self.taken.schema.names:
            return None
        return newest_of(self.taken[UPDATED_AT])


@dataclass(frozen=True, slots=True)
class Terms:
    """What a row is held against: the source's clock when it gave the page, and the days that a backfill asks for."""

    source_time: datetime
    days: DayRange | None = None


def may_refuse(rows: PageRows, terms: Terms) -> bool:
    """Whether sifting a page may find rows to be refused, and look for their texts, which takes a while."""
    return rows.reasons.null_count < len(rows) or bool(_ahead(rows, terms.source_time))


def sift(rows: PageRows, kept: Sequence[int], terms: Terms, first_position: int) -> Sifted:
    """Sorts the rows of a page at the indices `kept`; those read get positions from `first_position` on."""
    if terms.days is None and not may_refuse(rows, terms):
        return Sifted(taken=_placed(_of(rows.columns, kept), first_position), refused=[])
    batch = rows.columns.append_column(REASON, rows.reasons).append_column(AT, pa.arange(0, len(rows)))
    batch = _of(batch, kept)
    wanted = batch if terms.days is None else batch.filter(_within(batch[UPDATED_AT], terms.days))
    reasons = _reasons(wanted, _ahead(rows, terms.source_time))
    taken = _placed(wanted.drop_columns([REASON, AT]), first_position)
    return Sifted(
        taken=taken.filter(pc.is_null(reasons)) if reasons.null_count < len(reasons) else taken,
        refused=_refused(rows, wanted[AT], reasons),
        out_of_range=len(batch) - len(wanted),
    )


def _placed(batch: pa.RecordBatch, first_position: int) -> pa.RecordBatch:
    return batch.append_column(POSITION, pa.arange(first_position, first_position + len(batch)))


def _of(batch: pa.RecordBatch, kept: Sequence[int]) -> pa.RecordBatch:
    """Most often the rows behind those that were asked again: these need no copy."""
    if len(kept) == len(batch):
        return batch
    if not kept:
        return batch.slice(0, 0)
    if kept[-1] - kept[0] + 1 == len(kept):
        return batch.slice(kept[0], len(kept))
    return batch.take(pa.array(kept, pa.int64()))


def _within(moments: pa.Array, days: DayRange) -> pa.Array:
    """A row that does not tell when it was updated stays, to be refused."""
    first, end = (datetime.combine(day, time(), UTC) for day in (days.first, days.last + ONE_DAY))
    inside = pc.and_(
        pc.greater_equal(moments, pa.scalar(first, TIMESTAMP)), pc.less(moments, pa.scalar(end, TIMESTAMP))
    )
    return inside.fill_null(fill_value=True)


def _ahead(rows: PageRows, source_time: datetime) -> dict[str, datetime]:
    """Of the fields that reach beyond the source's clock, up to when each may."""
    ends = {name: source_time + tolerance for name, tolerance in TOLERANCES.items()}
    return {name: end for name, end in ends.items() if rows.reaches_beyond(end, name)}


def _reasons(batch: pa.RecordBatch, ends: Mapping[str, datetime]) -> pa.Array:
    """Those of the page, and of rows beyond the source's clock."""
    reasons = batch[REASON]
    for name, end in ends.items():
        late = pc.greater(batch[name], pa.scalar(end, TIMESTAMP)).fill_null(fill_value=False)
        said = pc.if_else(late, f"{name} is in the future of the source's clock", pa.scalar(None, pa.string()))
        reasons = pc.coalesce(reasons, said)
    return reasons


def _refused(rows: PageRows, at: pa.Array, reasons: pa.Array) -> list[RefusedRow]:
    if reasons.null_count == len(reasons):
        return []
    texts = rows.texts()
    found = zip(at.to_pylist(), reasons.to_pylist(), strict=True)
    return [RefusedRow(reason, texts[row]) for row, reason in found if reason is not None]
