"""The new rows of a page are taken, refused with the text that the source gave, or left to another backfill."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.contracts.lake import COMPANIES_SCHEMA, PAYMENTS_SCHEMA
from services.ingest.adapters.source_json import parse_companies, parse_payments
from services.ingest.domain.page_rows import PageRows
from services.ingest.domain.sifting import RefusedRow, Sifted, Terms, sift
from services.ingest.domain.window import DayRange
from tests.unit.ingest.test_payment_columns import page

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def payments(*changes: dict[str, Any]) -> PageRows:
    """A page of good payments with some fields changed."""
    return parse_payments(page(*changes), 100)


def sifted(*changes: dict[str, Any], days: DayRange | None = None) -> Sifted:
    """All rows of a page of payments."""
    return sift(payments(*changes), range(len(changes)), Terms(NOW, days), 10)


def test_one_bad_row_does_not_stop_good_ones() -> None:
    found = sifted({}, {"amount": "much"}, {})

    assert found.taken["position"].to_pylist() == [10, 12]
    assert [row.reason for row in found.refused] == ["amount is not a number"]
    assert json.loads(found.refused[0].raw)["amount"] == "much"
    assert found.read == 3


def test_taken_rows_have_the_columns_of_the_lake() -> None:
    companies = parse_companies(b'[{"id": 1, "company_code": "acme", "company_name": "Acme"}]', 100)

    assert sifted({}).taken.schema.names == PAYMENTS_SCHEMA.names
    assert sift(companies, [0], Terms(NOW), 0).taken.schema.names == COMPANIES_SCHEMA.names


def test_rows_that_were_seen_before_are_left_out() -> None:
    rows = payments({"id": "a"}, {"id": "b"}, {"id": "c", "amount": None}, {"id": "d", "amount": None})

    found = sift(rows, [1, 3], Terms(NOW), 5)

    assert found.taken["payment_id"].to_pylist() == ["b"]
    assert found.taken["position"].to_pylist() == [5]
    assert [json.loads(row.raw)["id"] for row in found.refused] == ["d"]


@pytest.mark.parametrize(
    ("field", "tolerance"), [("updated_at", timedelta(seconds=1)), ("payment_at", timedelta(days=1))]
)
@pytest.mark.parametrize("other", [{}, {"amount": "much"}], ids=["as columns", "row by row"])
def test_a_row_beyond_the_sources_clock_is_refused(field: str, tolerance: timedelta, other: dict[str, Any]) -> None:
    latest = {field: (NOW + tolerance).isoformat()}
    beyond = {field: (NOW + tolerance + timedelta(microseconds=1)).isoformat()}

    found = sifted(latest, beyond, other)

    assert found.taken[field].to_pylist()[0] == NOW + tolerance
    reason = f"{field} is in the future of the source's clock"
    assert [row for row in found.refused if row.reason == reason] == [RefusedRow(reason, page(beyond).decode()[1:-1])]


def test_a_backfill_keeps_rows_of_its_days_and_those_that_do_not_tell() -> None:
    moments = ["2026-03-01T23:59:59.999999Z", "2026-03-02T00:00:00Z", "2026-03-02T23:59:59Z", "2026-03-03T00:00:00Z"]
    days = DayRange(date(2026, 3, 2), date(2026, 3, 2))

    found = sifted(*({"updated_at": moment} for moment in [*moments, "never"]), days=days)

    assert (found.taken["position"].to_pylist(), found.out_of_range) == ([10, 11], 2)
    assert [row.reason for row in found.refused] == ["updated_at is not an ISO 8601 time"]


def test_a_bad_row_of_another_day_is_left_to_its_own_backfill() -> None:
    days = DayRange(date(2026, 3, 2), date(2026, 3, 2))

    found = sifted({"amount": "much", "updated_at": "2026-03-01T00:00:00Z"}, days=days)

    assert (found.read, found.out_of_range) == (0, 1)


def test_the_newest_row_is_one_that_was_taken() -> None:
    late = {"updated_at": "2026-03-05T00:00:00Z"}

    assert sifted({"updated_at": "2026-03-04T00:00:00Z"}, late | {"amount": None}, {}).newest == datetime(
        2026, 3, 4, tzinfo=UTC
    )
    assert sifted(late | {"amount": None}).newest is None


def test_only_rows_that_were_there_when_the_pass_began_are_waited_for() -> None:
    moments = [NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)]

    rows = payments(*({"updated_at": moment.isoformat()} for moment in moments), {"updated_at": "never"})

    assert rows.identity(NOW).awaited == [True, True, False, True]
