"""The key of a refused row is read as ingest would have read it, or not at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.raw_rows import key_of_raw
from services.ingest.domain.values import Refused, identifier

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.text(alphabet=" 0a\t\x00\u00a0\u200b\x7f", max_size=5),
    st.integers(250, 260).map(lambda size: "x" * size),
    st.lists(st.integers(), max_size=1),
)


def ingested(value: object) -> str | None:
    try:
        return identifier(value, "id")
    except Refused:
        return None


@given(VALUES)
def test_an_identifier_reads_as_ingest_reads_it(value: object) -> None:
    key = key_of_raw(json.dumps({"id": value, "company_code": "A"}))

    assert ingested(value) in (None, key and key[0])


@pytest.mark.parametrize("value", [None, True, 1.5, "", " \t", "a\x00b", "a\x7f", "\ud800", [1], {"id": 1}])
def test_what_no_key_may_hold_gives_none(value: object) -> None:
    assert key_of_raw(json.dumps({"id": value, "company_code": "A"})) is None


def test_a_key_longer_than_ingest_takes_today_is_read() -> None:
    assert key_of_raw(json.dumps({"id": "x" * 300, "company_code": 5})) == ("x" * 300, "5")


@pytest.mark.parametrize("raw", ["", "7", "null", '{"id": "p1"', '{"id": "p1"}', '{"company_code": "A"}', "[" * 10_000])
def test_a_text_that_does_not_tell_a_key_gives_none(raw: str) -> None:
    assert key_of_raw(raw) is None


def test_a_key_is_read_beside_values_that_are_no_json() -> None:
    assert key_of_raw('{"amount": NaN, "id": 12, "company_code": " A "}') == ("12", "A")
