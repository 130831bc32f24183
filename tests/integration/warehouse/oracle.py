"""What the table must hold, said in the plainest way: sort, leave out repeats, chain. The tests compare SQL with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

Key = tuple[str, str]
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Observation:
    """One row of the source; created_at follows from the rest, so that equal rows are equal in all."""

    payment_id: str
    company_code: str
    updated_at: datetime
    status: str = "paid"
    amount: Decimal = Decimal("10.00")
    external_client_id: str = "client-1"
    payment_at: datetime | None = EPOCH

    @property
    def key(self) -> Key:
        """What the source calls one payment."""
        return self.payment_id, self.company_code

    @property
    def attributes(self) -> tuple[object, ...]:
        """What makes a version."""
        return self.payment_at, self.status, self.amount, self.external_client_id

    @property
    def created_at(self) -> datetime:
        """A moment of its own for each observation."""
        return self.updated_at - timedelta(days=1, seconds=int(self.amount))


@dataclass(frozen=True)
class Version:
    """One row of warehouse.payments."""

    key: Key
    attributes: tuple[object, ...]
    created_at: datetime
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Placed:
    """An observation with the moment from which it counts."""

    observation: Observation
    at: datetime
    is_version: bool


def timeline(read: Sequence[Observation]) -> list[Placed]:
    """The distinct observations of one key, in order; of a tie the one read later comes a microsecond later."""
    ordered = sorted(dict.fromkeys(read), key=lambda observation: observation.updated_at)
    placed: list[Placed] = []
    for observation in ordered:
        last = placed[-1] if placed else None
        at = max(observation.updated_at, last.at + MICROSECOND) if last else observation.updated_at
        changed = last is None or last.observation.attributes != observation.attributes
        placed.append(Placed(observation, at, changed))
    return placed


def history(read: Sequence[Observation]) -> set[Version]:
    """The whole table after these observations were read in this order."""
    versions: set[Version] = set()
    for key in {observation.key for observation in read}:
        starts = [item for item in timeline([one for one in read if one.key == key]) if item.is_version]
        ends: list[datetime | None] = [item.at for item in starts[1:]]
        for item, end in zip(starts, [*ends, None], strict=True):
            seen = item.observation
            versions.add(Version(key, seen.attributes, seen.created_at, item.at, end))
    return versions


def origins(read: Sequence[Observation], first_told: Mapping[Observation, str]) -> set[tuple[Key, datetime, str]]:
    """Of every observation, version or not: its key, its place, and the load that told it first."""
    keys = {observation.key for observation in read}
    placed = [(key, item) for key in keys for item in timeline([one for one in read if one.key == key])]
    return {(key, item.at, first_told[item.observation]) for key, item in placed}


def recorded_at(load_id: str) -> datetime:
    """When the tests say that a load was applied: another moment for each."""
    return EPOCH + timedelta(days=len(load_id)) + int(load_id.rpartition("-")[2]) * MICROSECOND


def account(before: Sequence[Observation], batch: Sequence[Observation]) -> Counter[str]:
    """What becomes of each row of a batch: new, changed, unchanged or late."""
    counts: Counter[str] = Counter()
    fresh = set(batch) - set(before)
    counts["unchanged"] = len(batch) - len(fresh)
    for key in {observation.key for observation in batch}:
        known = [one for one in before if one.key == key]
        newest = max((one.updated_at for one in known), default=None)
        items = timeline([*known, *(one for one in batch if one.key == key)])
        for place, item in enumerate(items):
            if item.observation in fresh:
                counts[_outcome(item, newest, first=place == 0)] += 1
    return counts


def _outcome(item: Placed, newest_known: datetime | None, *, first: bool) -> str:
    if newest_known is None:
        return "new" if first else _moved(item)
    return "late" if item.observation.updated_at < newest_known else _moved(item)


def _moved(item: Placed) -> str:
    return "changed" if item.is_version else "unchanged"
