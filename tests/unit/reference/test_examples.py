"""What docs/explanation shows by example is what the rules say."""

import re
from datetime import UTC, date, datetime, timedelta

from services.ingest.domain.window import WindowRules, since_day
from tests.integration.warehouse.oracle import Observation, history
from tests.unit.reference.protos import ROOT

PAGES = ROOT / "docs/explanation"
DAY = datetime(2026, 6, 1, tzinfo=UTC)


def _rows(page: str, cells: int) -> list[list[str]]:
    """Of all tables with so many cells, without heads."""
    found = [line.strip("| ").split(" | ") for line in (PAGES / page).read_text().splitlines() if line.startswith("| ")]
    return [row for row in found if len(row) == cells]


def _at(clock: str) -> datetime:
    hour, minute = clock.split(":")
    return DAY + timedelta(hours=int(hour), minutes=int(minute))


def _told(observations: list[Observation]) -> str:
    versions = sorted(history(observations), key=lambda version: version.start)
    return ", ".join(
        f"{version.attributes[1]} {version.start:%H:%M}–{'' if version.end is None else f'{version.end:%H:%M}'}"
        for version in versions
    )


def test_the_versions_of_the_payment_are_those_of_the_rule() -> None:
    _, *rows = _rows("scd2.md", 5)
    read: list[Observation] = []
    for _, updated_at, status, _, versions in rows:
        read.append(Observation("7", "A", _at(updated_at), status=status))
        assert _told(read) == versions
    assert len(rows) == 5


def test_a_pass_asks_for_the_day_that_the_page_tells() -> None:
    _, *rows = _rows("watermark.md", 2)
    rules = WindowRules(first_day=None, overlap=timedelta(hours=48))
    for told, asked in rows:
        watermark = None if told.startswith("none") else datetime.fromisoformat(told).replace(tzinfo=UTC)
        today = datetime.fromisoformat(re.findall(r"[\d-]{10}", told)[0]).replace(tzinfo=UTC)
        assert since_day(watermark, today, rules) == date.fromisoformat(asked)
    assert len(rows) == 4
