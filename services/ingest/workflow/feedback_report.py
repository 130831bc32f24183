"""The report on feedback: counted over the lake, in parts and passes, so that memory stays the same for any amount.

An answer belongs to one of a number of buckets, by its id; a pass counts the answers of one bucket, and reads all rows.
Where so many are too many to be read so often, the first buckets stand for all: a sample of whole answers.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import nan
from typing import Protocol

from services.contracts.feedback import FeedbackPart
from services.ingest.domain.feedback_report import Counted, Group, Tally, by_role, hit_share, most_shown
from services.ingest.workflow.metrics import HIT_SHARE
from services.runtime.clock import Clock
from services.runtime.errors import InvalidArgument, ResourceExhausted

# Of one pass; about 900 bytes each where they are counted.
ROWS_A_PASS = 1 << 18
# Of all passes together.
ROWS_A_REPORT = 1 << 28
LONGEST_RANGE = timedelta(days=366)
HIT_SHARE_DAYS = timedelta(days=7)
# Counted or waiting; more would take the room of other calls.
MOST_ASKED = 8
RETRY_AFTER = timedelta(seconds=10)


class ReadableFeedback(Protocol):
    """The feedback of the lake. All methods raise Unavailable if the store fails."""

    async def parts(self, first: date, last: date) -> list[FeedbackPart]:
        """Parts with answers made on these days, both included."""

    async def count(
        self, parts: Sequence[FeedbackPart], made: tuple[datetime, datetime], bucket: tuple[int, int]
    ) -> tuple[int, dict[Group, Tally]]:
        """Rows and tallies of the answers of a bucket (place, of how many) made in a range.

        DataLoss for a part that is damaged, FailedPrecondition for more than can be counted. Parts may be merged
        meanwhile.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """Into how many buckets answers fall, a power of two, and how many of them are counted."""

    buckets: int
    passes: int


def plan(rows: int, rows_a_pass: int = ROWS_A_PASS, rows_a_report: int = ROWS_A_REPORT) -> Plan:
    """As many passes as there is memory for, and no more than there is time for."""
    buckets = 1
    while buckets * rows_a_pass < rows:
        buckets *= 2
    return Plan(buckets, min(buckets, max(1, rows_a_report // max(rows, 1))))


class FeedbackReports:
    """One report at a time: a few others wait for it."""

    def __init__(self, lake: ReadableFeedback, clock: Clock, rows_a_pass: int = ROWS_A_PASS) -> None:
        self._lake = lake
        self._clock = clock
        self._rows_a_pass = rows_a_pass
        self._one = asyncio.Lock()
        self._asked = 0

    async def count(self, since: datetime, until: datetime) -> Counted:
        """Of answers made in [since, until). InvalidArgument for a range that is empty or too long.

        ResourceExhausted when as many reports wait as may.
        """
        if not since < until:
            raise InvalidArgument("until", "must be later than since")
        if until - since > LONGEST_RANGE:
            raise InvalidArgument("since", f"lies more than {LONGEST_RANGE.days} days before until")
        if self._asked >= MOST_ASKED:
            raise ResourceExhausted("as many reports wait as may; ask again later", RETRY_AFTER)
        self._asked += 1
        try:
            return await self._count_alone(since, until)
        finally:
            self._asked -= 1

    async def note_hit_share(self) -> None:
        """Tells the metric how the answers of the last days did."""
        now = self._clock()
        tallies = by_role((await self._count_alone(now - HIT_SHARE_DAYS, now)).tallies)
        for role, tally in tallies.items():
            share = hit_share(tally)
            HIT_SHARE.labels(role).set(share.value if share else nan)

    def forget_hit_share(self) -> None:
        """Another leads, and tells it."""
        for role in by_role({}):
            HIT_SHARE.labels(role).set(nan)

    async def _count_alone(self, since: datetime, until: datetime) -> Counted:
        async with self._one:
            return await self._count(since, until)

    async def _count(self, since: datetime, until: datetime) -> Counted:
        parts = await self._lake.parts(since.date(), until.date())
        planned = plan(sum(part.rows for part in parts), self._rows_a_pass)
        rows, tallies = 0, dict[Group, Tally]()
        for bucket in range(planned.passes):
            read, counted = await self._lake.count(parts, (since, until), (bucket, planned.buckets))
            rows += read
            for group, tally in counted.items():
                tallies[group] = tallies.get(group, Tally()) + tally
            tallies = most_shown(tallies)
        return Counted(tallies, rows, planned.passes / planned.buckets)
