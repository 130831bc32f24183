"""Rows of erased clients are told from others by digests, and no trace of them is kept."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from services.contracts.lake import PAYMENTS_SCHEMA
from services.ingest.domain.erasure import ErasedClients, UnreadableRow, client_digest
from services.ingest.domain.sifting import RefusedRow, Sifted

SALT = b"salt"
UNTIL = datetime(2026, 3, 10, tzinfo=UTC)
ERASED = ErasedClients(SALT, {client_digest(SALT, "gone"): UNTIL, client_digest(SALT, "4711"): UNTIL})
DAY = timedelta(days=1)


def paid(client: str, created_at: datetime = UNTIL - DAY, updated_at: datetime = UNTIL + DAY) -> dict[str, Any]:
    return {
        "payment_id": "p1",
        "company_code": "A",
        "payment_at": None,
        "status": "paid",
        "amount": Decimal("1.00"),
        "external_client_id": client,
        "created_at": created_at,
        "updated_at": updated_at,
        "position": 0,
    }


def taken(*payments: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(payments), schema=PAYMENTS_SCHEMA)


def refused(fields: Any) -> RefusedRow:
    return RefusedRow("a reason", json.dumps(fields))


def test_rows_of_an_erased_client_are_left_out_and_counted_alone() -> None:
    sifted = Sifted(taken(paid("gone"), paid("here")), [refused({"external_client_id": "gone"}), refused({})], 3)

    left = ERASED.leave_out(sifted)

    assert left == Sifted(taken(paid("here")), [refused({})], 3, erased=2)
    assert left.read == 2


@pytest.mark.parametrize(
    ("created_at", "updated_at", "kept"),
    [
        (UNTIL - DAY, UNTIL + DAY, False),
        (UNTIL, UNTIL + DAY, False),
        (UNTIL + DAY, UNTIL - DAY, False),
        (UNTIL + DAY, UNTIL + DAY, True),
    ],
)
def test_a_client_who_comes_back_is_a_new_one(created_at: datetime, updated_at: datetime, kept: bool) -> None:
    row = paid("gone", created_at, updated_at)

    assert ERASED.leave_out(Sifted(taken(row), [])).taken.to_pylist() == ([row] if kept else [])


@pytest.mark.parametrize(
    "fields",
    [
        {"external_client_id": " gone "},
        {"external_client_id": 4711},
        {"external_client_id": ["gone"]},
        {"id": {"gone": 1}},
        {"note": [[{"x": "gone"}]]},
        ["gone"],
        "gone",
    ],
)
def test_an_id_is_found_wherever_it_stands_in_a_refused_row(fields: Any) -> None:
    assert ERASED.are_mentioned(json.dumps(fields))


@pytest.mark.parametrize("raw", ['{"external_client_id": "g\\u006fne", "amount": NaN}', '["gone", 1e400, "\x01"]'])
def test_an_id_is_found_in_rows_that_are_hardly_json(raw: str) -> None:
    assert ERASED.are_mentioned(raw)


def test_an_id_inside_another_text_is_not_taken_for_the_client() -> None:
    assert not ERASED.are_mentioned(json.dumps({"external_client_id": "gone too"}))


@pytest.mark.parametrize("raw", ['{"external_client_id": "go', "[" * 100_000, "9" * 5000 + "x"])
def test_a_text_that_is_no_json_is_told(raw: str) -> None:
    with pytest.raises(UnreadableRow):
        ERASED.are_mentioned(raw)


@pytest.mark.parametrize("raw", ['{"external_client_id": "go', '{"x": "' + '\\"' * 500_000], ids=["cut", "quotes"])
def test_a_row_that_nobody_can_read_stays_refused(raw: str) -> None:
    row = RefusedRow("a reason", raw)

    assert ERASED.leave_out(Sifted(taken(), [row])).refused == [row]


@pytest.mark.parametrize("client", ['"gone"', '" g\\u006fne "', "4711"])
@pytest.mark.parametrize("rest", ["[" * 30_000 + "]" * 30_000, f'"{"x" * 100_000}"'], ids=["too deep", "too large"])
def test_an_id_is_found_in_rows_that_are_not_looked_into(client: str, rest: str) -> None:
    row = RefusedRow("a reason", f'{{"external_client_id": {client}, "x": {rest}}}')

    assert ERASED.leave_out(Sifted(taken(), [row])) == Sifted(taken(), [], erased=1)


def test_every_erasure_makes_another_edition() -> None:
    one, two = {b"1": UNTIL}, {b"1": UNTIL, b"2": UNTIL}

    editions = [ErasedClients(SALT, until).edition for until in ({}, one, two, {b"1": UNTIL + DAY})]

    assert len(set(editions)) == 4
