"""What the catalogue must hold after some loads, said in the plainest way: company by company, load by load."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.integration.warehouse.lake_writer import Company
from tests.integration.warehouse.oracle import MICROSECOND


@dataclass(frozen=True)
class Catalogue:
    """One answer of the source: its rows as read, how many more were refused, and the source's time."""

    rows: tuple[Company, ...]
    source_time: datetime
    refused: int = 0


@dataclass(frozen=True)
class CatalogueVersion:
    """One row of warehouse.companies."""

    company: Company
    is_retired: bool
    start: datetime
    end: datetime | None


def is_taken(before: Sequence[Catalogue], one: Catalogue, min_share: float) -> bool:
    """Whether a catalogue may be loaded after those that were taken."""
    if not one.rows or any(one.source_time < earlier.source_time for earlier in before):
        return False
    current = [version for version in catalogue_history(before) if version.end is None and not version.is_retired]
    listed = {row.company_code for row in one.rows}
    missing = sum(version.company.company_code not in listed for version in current)
    return len(current) - max(missing - one.refused, 0) >= min_share * len(current)


def catalogue_history(taken: Sequence[Catalogue]) -> set[CatalogueVersion]:
    """The whole table after these catalogues, in this order."""
    codes = {row.company_code for one in taken for row in one.rows}
    return {version for code in codes for version in _history_of(code, taken)}


def _history_of(code: str, taken: Sequence[Catalogue]) -> set[CatalogueVersion]:
    states: list[tuple[Company, bool, datetime]] = []
    for one in taken:
        rows = [row for row in one.rows if row.company_code == code]
        last = states[-1] if states else None
        if rows and (last is None or last[:2] != (rows[-1], False)):
            states.append((rows[-1], False, _start(one, last)))
        if not rows and last is not None and not last[1] and one.refused == 0:
            states.append((last[0], True, _start(one, last)))
    ends = [start for _, _, start in states[1:]]
    return (
        {CatalogueVersion(*state, end) for state, end in zip(states, [*ends, None], strict=True)} if states else set()
    )


def _start(one: Catalogue, last: tuple[Company, bool, datetime] | None) -> datetime:
    return one.source_time if last is None else max(one.source_time, last[2] + MICROSECOND)
