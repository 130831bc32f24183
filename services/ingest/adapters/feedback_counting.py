"""Rows of feedback to tallies, by Arrow: repeated rows fall together, and a company counts where it was shown."""

from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.contracts.feedback import KINDS
from services.contracts.lake import TIMESTAMP
from services.ingest.domain.feedback_report import MOST_GROUPS, Group, Tally
from services.runtime.errors import FailedPrecondition

GROUP = ["experiment", "role", "strategy"]
ANSWER = ["recommendation_id", *GROUP]
COMPANY = ["company_code", *ANSWER]
TIMES = [f"{kind}_at" for kind in KINDS]
# Shown, clicked, paid: whether any company was. Stray ones are counted each.
OF_ANSWER = [("shown", "max"), ("clicked", "max"), ("paid", "max"), ("stray", "sum")]
COLUMNS = [*COMPANY, "kind", "at", "made_at", "number"]
# Folded when as many wait: what is repeated goes early.
FOLD_ROWS = 250_000
# Of the answers of a bucket, half as many again as are planned for: more there are only where ids or codes are made up.
MOST_COMPANIES = 3 << 17
# Fibonacci hashing, see Knuth 6.4: neighbouring numbers, which one caller may have asked for, fall apart.
SPREAD = pa.scalar(0x9E3779B97F4A7C15 - (1 << 64), pa.int64())
SPREAD_SHIFT = pa.scalar(34, pa.int64())


class Counting:
    """Counts answers made in [since, until) whose number falls into one of `buckets`, a power of two.

    Memory grows with the companies of these answers. FailedPrecondition where these are more than `most_companies`.
    """

    def __init__(
        self,
        since: datetime,
        until: datetime,
        bucket: int = 0,
        buckets: int = 1,
        *,
        most_companies: int = MOST_COMPANIES,
    ) -> None:
        self._range = pa.scalar(since, TIMESTAMP), pa.scalar(until, TIMESTAMP)
        self._bucket, self._buckets = bucket, buckets
        self._most_companies = most_companies
        self._tables: list[pa.Table] = []
        self._waiting = 0
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """Takes rows, with COLUMNS."""
        wanted = self._wanted(table)
        self.rows += wanted.num_rows
        self._tables.append(_by_kind(wanted))
        self._waiting += wanted.num_rows
        if self._waiting >= FOLD_ROWS:
            self._fold()

    def tallies(self) -> dict[Group, Tally]:
        """Of all that was taken; of more groups than there can be, those with the most answers."""
        if not self._tables:
            return {}
        companies = self._fold()
        shown = pc.is_valid(companies["shown_at"])
        clicked, paid = (_followed(companies[f"{kind}_at"], companies["shown_at"]) for kind in ("clicked", "paid"))
        stray = pc.add(_stray(companies["clicked_at"], clicked), _stray(companies["paid_at"], paid))
        marked = companies.select(ANSWER)
        for name, column in (("shown", shown), ("clicked", clicked), ("paid", paid), ("stray", stray)):
            marked = marked.append_column(name, pc.cast(column, pa.int64()))
        answers = marked.group_by(ANSWER).aggregate(OF_ANSWER)
        totals = answers.group_by(GROUP).aggregate([("_".join(name), "sum") for name in OF_ANSWER])
        if len(totals) > MOST_GROUPS:
            order = [("shown_max_sum", "descending"), *((name, "ascending") for name in GROUP)]
            totals = totals.sort_by(order).slice(0, MOST_GROUPS)
        return dict(_tally(row) for row in totals.to_pylist())

    def _wanted(self, table: pa.Table) -> pa.Table:
        since, until = self._range
        wanted = pc.and_(pc.greater_equal(table["made_at"], since), pc.less(table["made_at"], until))
        if self._buckets > 1:
            spread = pc.shift_right(pc.multiply(table["number"], SPREAD), SPREAD_SHIFT)
            wanted = pc.and_(wanted, pc.equal(pc.bit_wise_and(spread, self._buckets - 1), self._bucket))
        return table.filter(wanted)

    def _fold(self) -> pa.Table:
        folded = pa.concat_tables(self._tables).group_by(COMPANY).aggregate([(name, "min") for name in TIMES])
        if len(folded) > self._most_companies:
            raise FailedPrecondition(
                f"more than {self._most_companies} companies of answers that are counted together, "
                "as if ids or codes were made up; ask for a shorter range",
                reason="TOO_MUCH_FEEDBACK",
            )
        folded = folded.rename_columns([*COMPANY, *TIMES])
        self._tables, self._waiting = [folded], 0
        return self._tables[0]


def _by_kind(table: pa.Table) -> pa.Table:
    """The time of each event in the column of its kind."""
    split = table.select(COMPANY)
    nothing = pa.scalar(None, TIMESTAMP)
    for kind, name in zip(KINDS, TIMES, strict=True):
        split = split.append_column(name, pc.if_else(pc.equal(table["kind"], kind), table["at"], nothing))
    return split


def _followed(moment: pa.ChunkedArray, shown: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.greater_equal(moment, shown), False)


def _stray(moment: pa.ChunkedArray, counts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(pc.and_(pc.is_valid(moment), pc.invert(counts)), pa.int64())


def _tally(row: dict[str, Any]) -> tuple[Group, Tally]:
    group = Group(*(row[name] for name in GROUP))
    return group, Tally(*(row[f"{name}_{how}_sum"] for name, how in OF_ANSWER))
