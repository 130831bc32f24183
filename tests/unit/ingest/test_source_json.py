"""A page from bytes to rows: money exact, each row with its own text, and one odd value no reason to lose the page."""

import json
import re
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.adapters.source_json import NotAPage, parse_payments, parse_rows
from services.ingest.domain.rows import PAYMENT_FIELDS, SourceRow
from services.ingest.domain.values import Odd
from tests.unit.ingest.test_payment_columns import page

MOST_ROWS = 1000


def parsed(body: bytes | str) -> list[SourceRow]:
    """The rows of a page."""
    return parse_rows(body.encode() if isinstance(body, str) else body, PAYMENT_FIELDS, MOST_ROWS)


def test_numbers_keep_every_digit() -> None:
    (row,) = parsed('[{"amount": 0.1000000000000000055511151231257827, "id": 9007199254740993}]')

    assert row.fields == {"amount": Decimal("0.1000000000000000055511151231257827"), "id": 9007199254740993}


def test_each_row_has_the_text_that_the_source_gave() -> None:
    rows = parsed(' [ {"id": 1,  "a": "\\u00e9"} ,\n{"id" :2}, 3 ] ')

    assert [row.raw for row in rows] == ['{"id": 1,  "a": "\\u00e9"}', '{"id" :2}', "3"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e99999999999999999999", "9" * 5000])
def test_a_value_that_is_no_number_is_marked_and_the_page_goes_on(value: str) -> None:
    rows = parsed(f'[{{"amount": {value}}}, {{"amount": 1}}]')

    assert [row.fields["amount"] for row in rows] == [Odd.UNPARSABLE, 1]


def test_a_control_character_in_a_text_does_not_spoil_the_page() -> None:
    assert [row.fields["id"] for row in parsed(b'[{"id": "a\x00b"}, {"id": "c"}]')] == ["a\x00b", "c"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is not a JSON list"),
        (b'{"error": "busy"}', "is not a JSON list"),
        (b"<html>busy</html>", "is not a JSON list"),
        (b"null", "is not a JSON list"),
        (b'[{"id": 1}', "is not JSON, or cut"),
        (b'[{"id": 1}, {"i', "is not JSON, or cut"),
        (b'[{"id": 1},]', "is not JSON, or cut"),
        (b'[{"id": 1}] x', "is not JSON, or cut"),
        (b'[{"id": 1} {"id": 2}]', "is not JSON, or cut"),
        ('[{"id": 1}]'.encode("utf-16"), "is not a JSON list"),
        (b"[" * 100_000, "is not JSON, or cut"),
        (b'[{"id": 1}, ' + b'{"a":' * 100_000, "is not JSON, or cut"),
        (b'["cut', "is not JSON, or cut"),
        pytest.param(b'["' + rb"\"" * 1_000_000, "is not JSON, or cut", id="a text cut among its quotes"),
        pytest.param(b'[{"id": "' + rb"\"" * 1_000_000, "is not JSON, or cut", id="a row cut there"),
    ],
)
def test_a_body_that_is_no_page_says_what_it_is(body: bytes, problem: str) -> None:
    with pytest.raises(NotAPage, match=re.escape(problem)):
        parsed(body)


@pytest.mark.parametrize("body", ["[]", " [ ] ", "\ufeff[]"])
def test_an_empty_list_is_an_empty_page(body: str) -> None:
    assert parsed(body) == []


def test_fields_that_we_do_not_know_do_not_make_a_reading_another_one() -> None:
    first, second = parsed('[{"id": 1, "served_at": "12:00"}, {"served_at": "12:01", "id": 1}]')

    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("other", ['{"id": 1, "status": "paid"}', '{"id": 2}', '{"id": "1"}', '{"id": true}'])
def test_a_field_that_we_know_makes_a_reading_another_one(other: str) -> None:
    first, second = parsed(f'[{{"id": 1}}, {other}]')

    assert first.fingerprint != second.fingerprint


@given(rows=st.lists(st.dictionaries(st.sampled_from(PAYMENT_FIELDS), st.integers() | st.text() | st.none())))
def test_what_json_says_is_what_we_read(rows: list[dict[str, Any]]) -> None:
    assert [row.fields for row in parsed(json.dumps(rows))] == rows


def test_a_page_of_more_rows_than_allowed_is_refused_before_it_fills_the_memory() -> None:
    body = b"[" + b"0," * MOST_ROWS + b"0]"
    with pytest.raises(NotAPage, match="more than 1000 rows"):
        parsed(body)


def reasons(body: str | bytes) -> list[str | None]:
    """Why the payments of a page are refused."""
    rows = parse_payments(body.encode() if isinstance(body, str) else body, MOST_ROWS)
    return rows.reasons.to_pylist()  # type: ignore[no-any-return] # pyarrow has no types


def test_a_field_given_twice_makes_its_row_ambiguous_though_the_values_agree() -> None:
    assert reasons('[{"id": 1, "id": 1}, {"id": 1, "\\u0069d": 2}]') == ["id is given twice"] * 2


def test_a_field_that_we_do_not_know_may_be_given_twice() -> None:
    (row,) = parsed('[{"id": 1, "other": {"id": 1, "id": 2}, "other": 3}]')

    assert row.fields["id"] == 1


@pytest.mark.parametrize("deep", ["[" * 10_000 + '"]"' + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000])
def test_a_row_that_is_nested_too_deep_does_not_spoil_the_page(deep: str) -> None:
    rows = parsed(f'[{{"id": 1, "x": {deep}}}, {{"id": 2}}]')

    assert [row.fields for row in rows] == [Odd.TOO_DEEP, {"id": 2}]
    assert rows[0].raw == f'{{"id": 1, "x": {deep}}}'


@pytest.mark.parametrize("large", ['"' + "]" * 70_000 + '"', "[" * 50_000 + "]" * 50_000, "[" + "[]," * 30_000 + "0]"])
def test_a_giant_row_is_not_looked_into_and_does_not_spoil_the_page(large: str) -> None:
    rows = parsed(f'[{{"id": 1, "x": {large}}}, {{"id": 2}}]')

    assert [row.fields for row in rows] == [Odd.TOO_LARGE, {"id": 2}]
    assert rows[0].raw == f'{{"id": 1, "x": {large}}}'


def test_a_page_of_a_few_mebibytes_becomes_no_giant_in_memory() -> None:
    body = b"[" + b",".join([b'{"id": 1, "x": [' + b"[]," * 20_000 + b"0]}"] * 100) + b"]"
    tracemalloc.start()
    try:
        parse_payments(body, MOST_ROWS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * len(body)


def test_bytes_that_are_no_utf_8_spoil_their_row_alone() -> None:
    body = page({"status": "Strasse"}, {}).replace(b"Strasse", b"Stra\xdfe")

    assert reasons(body) == ["status is not valid Unicode", None]


def test_a_giant_id_does_not_become_a_giant_group() -> None:
    (row,) = parsed(json.dumps([{"id": "x" * 10_000}]))

    assert len(row.group) < 30


def test_two_readings_of_one_bad_row_have_one_fingerprint_in_every_process() -> None:
    (row,) = parsed('[{"id": 1, "amount": NaN, "status": "a", "status": "b"}]')

    assert row.fingerprint == 3977095302310371541
