"""What the warehouse must hold, from what the source has shown alone: the pure oracle, and the rules of the window."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.integration.warehouse.oracle import Observation, Version, account, history

OVERLAP = timedelta(hours=48)


@dataclass
class Expectation:
    """Grows with each pass."""

    first_day: date
    observed: list[Observation] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    watermark: datetime | None = None
    # What the last pass must have found.
    counts: Counter[str] = field(default_factory=Counter)
    read: int = 0
    quarantined: int = 0
    # Two passes ran at once: what each found depends on which was first.
    is_mixed: bool = False

    def daily_pass(self, rows: Sequence[Observation], clock: datetime, bad: int) -> None:
        """The source was read for the window from the watermark, in which all of the `bad` rows stand."""
        self.quarantined = bad
        since = self.first_day if self.watermark is None else (self.watermark - OVERLAP).date() - timedelta(days=1)
        shown = self._pass(rows, lambda row: row.updated_at.date() >= since)
        reached = [min(max(row.updated_at for row in shown), clock)] if shown else []
        self.watermark = max([*reached, *([self.watermark] if self.watermark else [])], default=None)

    def full_pass(self, rows: Sequence[Observation], bad: int) -> None:
        """All rows were read that there are, at the source or in a quarantine; the watermark stays."""
        self.quarantined = bad
        self._pass(rows, lambda _: True)

    def backfill(self, rows: Sequence[Observation], first: date, last: date, bad: int) -> None:
        """The source was read for some days, of which so many bad rows are; the watermark stays."""
        self.quarantined = bad
        self._pass(rows, lambda row: first <= row.updated_at.date() <= last)

    def erasure(self, client: str) -> None:
        """As if nothing of the client had ever been read, nor will be; the watermark stays."""
        self.erased.add(client)
        self.observed = [row for row in self.observed if row.external_client_id not in self.erased]

    def versions(self) -> set[Version]:
        """The whole table."""
        return history(self.observed)

    def _pass(self, rows: Sequence[Observation], is_shown: Callable[[Observation], bool]) -> list[Observation]:
        # The source orders by id, and shows equal rows as one.
        in_order = sorted(filter(is_shown, rows), key=lambda row: row.payment_id)
        shown = [row for row in dict.fromkeys(in_order) if row.external_client_id not in self.erased]
        self.counts, self.read = account(self.observed, shown), len(shown)
        self.observed += shown
        return shown
