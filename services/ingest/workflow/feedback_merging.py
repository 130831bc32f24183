"""Small parts of feedback become large ones, once an hour, so that a report need not open a thousand objects a day.

Nothing is fenced and nothing need be: the merged part is stored before those that are in it go, a row that stands in
both meanwhile counts once, and whoever merges the same parts writes the same object.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Protocol

from services.contracts.feedback import CLOCK_TOLERANCE, LONGEST, FeedbackPart
from services.ingest.workflow.metrics import FEEDBACK_DAMAGED
from services.runtime.clock import Clock

SMALL_ROWS, LARGE_ROWS = 50_000, 200_000
FEW = 8


class MergeableFeedback(Protocol):
    """The feedback of the lake. All methods raise Unavailable if the store fails."""

    async def parts(self, first: date, last: date) -> list[FeedbackPart]:
        """Parts with answers made on these days, both included."""

    async def merge(self, parts: Sequence[FeedbackPart]) -> Sequence[FeedbackPart]:
        """Puts one part in the place of those of a day that are sound; the damaged ones, which stay as they are.

        NotFound if another merged them.
        """


class FeedbackMerging:
    """Looks at all days of which feedback may still come."""

    def __init__(self, lake: MergeableFeedback, clock: Clock, few: int = FEW) -> None:
        """`few`: small parts of a day that are left as they are."""
        self._lake = lake
        self._clock = clock
        self._few = few

    async def run(self) -> None:
        """One pass. Damaged parts are told, and stop nothing."""
        now = self._clock()
        # An event may be told so long after it happened, and have happened so long after the answer.
        day, last = (now - 2 * LONGEST - CLOCK_TOLERANCE).date(), (now + CLOCK_TOLERANCE).date()
        while day <= last:
            small = [part for part in await self._lake.parts(day, day) if part.rows < SMALL_ROWS]
            if len(small) > self._few:
                for group in groups(small):
                    FEEDBACK_DAMAGED.inc(len(await self._lake.merge(group)))
            day += timedelta(days=1)


def groups(small: Sequence[FeedbackPart]) -> Iterator[list[FeedbackPart]]:
    """Two parts and more that together have at most LARGE_ROWS, in order; what is left alone is left out."""
    group: list[FeedbackPart] = []
    for part in small:
        if sum(each.rows for each in group) + part.rows > LARGE_ROWS:
            yield group
            group = []
        group.append(part)
    if len(group) > 1:
        yield group
