"""The fast way and the rules agree on every page that the fast way takes, and it takes the ordinary ones."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.ingest.adapters.payment_columns import payment_columns
from services.ingest.adapters.source_json import parse_payments, parse_rows
from services.ingest.domain.page_rows import payments_of
from services.ingest.domain.rows import PAYMENT_FIELDS

MOST_ROWS = 100
ORDINARY: dict[str, str] = {
    "id": '"p1"',
    "payment_at": '"2026-03-01T10:00:00+00:00"',
    "company_code": '"acme"',
    "status": '"paid"',
    "amount": "12.50",
    "external_client_id": '"client-1"',
    "created_at": '"2026-03-01T10:00:00Z"',
    "updated_at": '"2026-03-02T10:00:00.123456+02:00"',
}
TEXTS = [
    '" p1\\t"',
    '"\xa0x\x85"',
    '"\u3000"',
    '""',
    '"a\\u0000"',
    '"\x7f"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"\x1cx"',
]
TEXTS += ['"Ñandú\\/"', '"[x]"', '"{x}"', f'"{"é" * 128}"', f'"{"é" * 129}"', '"\\"payment_at\\":"', '"payment_at"']
NUMBERS = ["0", "-0", "7", "9223372036854775807", "9223372036854775808", "1.0", "1e2", "0.005", "-0.005", "1.005"]
NUMBERS += ["0.1000000000000000055511151231257827", "9999999999999999.994", "9999999999999999.995", "-1e16", "1e-400"]
NUMBERS += ["9999999999999999.99", "1e15", "1e16", "-1e17", "1e20", "1.10000000000000000000", "12.5000000001"]
NUMBERS += ["1e400", "1E+2", "NaN", "Infinity", "-Infinity", "9" * 400, "01", "+1", "1."]
NUMBER_TEXTS = ['"12.5"', '" 1 "', '"1_0"', '".5"', '"5."', '"+.5e1"', '"1e00002"', '"NaN"', '""', f'"{"0" * 70}1.5"']
NUMBER_TEXTS += ['"١"', '"1e99999999999999999999"', '"0x10"', '"-0"']
DAYS = ["2026-03-01", "2024-02-29", "2026-02-29", "0001-01-01", "1969-12-31", "1970-01-01", "9998-12-31", "9999-12-31"]
PLAIN = ["2026-03-01", "2024-02-29", "1970-01-01", "9998-12-31"]
CLOCKS = ["", "T10", " 10:00", "T10:00:00", " 10:00:00", "T24:00:00", "T23:59:60", "t10:00:00", "T10:00:00,5"]
ZONES = ["", "Z", "z", "+00:00", "-00:00", "+02:00", "+0200", "+02", "+14:00", "-23:59", "+24:00", "+02:60", " Z"]
SPLINTERS = [
    b"",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"0",
    b"-",
    b"e",
    b" ",
    b"\x00",
    b"\xc3",
    b"\xed\xa0\x80",
]
SPLINTERS += [b"null", b"\\ud800", b"\\ud83d\\ude00", b'"id":1,', b"\xef\xbb\xbf", b"[" * 40, b'{"a":' * 40, b"9" * 30]
ODDITIES = ["null", "true", "[]", "[1]", "{}", '{"payment_at": 1}']


def _moments(days: list[str], clocks: list[str], digits: int, zones: list[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda day, clock, fraction, zone: json.dumps(day + clock + fraction + zone),
        st.sampled_from(days),
        st.sampled_from(clocks),
        st.just("") | st.integers(0, digits).map(lambda length: "." + "123456789"[:length]),
        st.sampled_from(zones),
    )


plain_moments = _moments(PLAIN, ["T10:00:00", " 23:59:59"], 6, ["Z", "-00:00", "+02:00", "-23:59"])
moments = _moments(DAYS, CLOCKS, 10, ZONES) | plain_moments
values = st.sampled_from(TEXTS + NUMBERS + NUMBER_TEXTS + ODDITIES) | moments
amounts = st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.sampled_from(NUMBERS + NUMBER_TEXTS)
words = st.sampled_from(TEXTS) | st.text(max_size=8).map(json.dumps)
whole_numbers = st.integers(-(2**65), 2**65).map(str)
FITTING = {
    "payment_at": moments | st.just("null"),
    "created_at": moments,
    "updated_at": moments,
    "amount": amounts,
    "status": words,
} | dict.fromkeys(("id", "company_code", "external_client_id"), words | whole_numbers)


@st.composite
def rows(draw: st.DrawFn) -> str:
    """A row that is ordinary but for a little."""
    members = dict(ORDINARY)
    name = draw(st.sampled_from(PAYMENT_FIELDS))
    kind = draw(st.sampled_from(["ordinary", "fitting", "fitting", "any", "missing", "twice", "unknown", "escaped"]))
    if kind == "missing":
        del members[name]
    elif kind in ("fitting", "any"):
        members[name] = draw(FITTING[name] if kind == "fitting" else values)
    pairs = [(json.dumps(key), value) for key, value in members.items()]
    if kind == "twice":
        pairs.append((json.dumps(name), draw(st.just(ORDINARY[name]) | values)))
    elif kind == "unknown":
        pairs.append((draw(st.sampled_from(['"other"', '"\\"payment_at"', '"{"', '"["'])), draw(values)))
    elif kind == "escaped":
        pairs.append((f'"\\u{ord(name[0]):04x}{name[1:]}"', draw(values)))
    return "{" + ", ".join(f"{key}: {value}" for key, value in draw(st.permutations(pairs))) + "}"


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    """A JSON list, or nearly."""
    found = draw(st.lists(rows() | st.sampled_from(["null", "7", '"x"', "[]"]), min_size=1, max_size=3))
    end = draw(st.sampled_from(["]"] * 9 + ['], "y": []', ']} {"rows": []', ",]", "", "] "]))
    return ("[" + ", ".join(found) + end).encode(draw(st.sampled_from(["utf-8"] * 9 + ["utf-8-sig"])))


@st.composite
def damaged_pages(draw: st.DrawFn) -> bytes:
    """An ordinary page in which some bytes are cut out, put in or changed."""
    body = bytearray(page({}, {"unknown": {"a": [1, "\\u00e9", None]}, "id": 17}))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        end = at + draw(st.sampled_from([0, 1, 1, 2, 9, len(body)]))
        body[at:end] = draw(st.sampled_from(SPLINTERS) | st.binary(max_size=3))
    return bytes(body)


def page(*changes: dict[str, Any]) -> bytes:
    """A page of ordinary rows with some fields changed."""
    return f"[{','.join(json.dumps(dict(_ordinary(), **change)) for change in changes)}]".encode()


def _ordinary() -> dict[str, Any]:
    return {name: json.loads(value) for name, value in ORDINARY.items()}


@settings(max_examples=600, deadline=None)
@given(body=pages())
@example(body=b'[{"id":"a"}],"y":[1]')
@example(body=page({"payment_at": None}))
@example(body=page({"amount": 1e17}))
def test_what_the_fast_way_takes_is_what_the_rules_make_of_it(body: bytes) -> None:
    _require_the_same(body)


@settings(max_examples=600, deadline=None)
@given(body=damaged_pages())
def test_what_the_fast_way_takes_of_damaged_pages_is_what_the_rules_make_of_it(body: bytes) -> None:
    _require_the_same(body)


def _require_the_same(body: bytes) -> None:
    fast = payment_columns(body, MOST_ROWS)
    if fast is None:
        return
    columns, reasons, groups, fingerprints, latest = fast

    slow = payments_of(parse_rows(body, PAYMENT_FIELDS, MOST_ROWS))

    assert slow.reasons.to_pylist() == reasons.to_pylist() == [None] * len(slow)
    assert columns.to_pylist() == slow.columns.to_pylist()
    assert columns.schema == slow.columns.schema
    assert (list(groups), list(fingerprints), latest) == (slow.groups, slow.fingerprints, slow.latest)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"payment_at": None},
        {"id": 17, "company_code": 5, "external_client_id": -3},
        {"amount": 12},
        {"amount": "12.345"},
        {"amount": 0.1 + 0.2},
        {"amount": -1e15},
        {"id": "  padded\u3000", "status": "Ñandú 👍"},
        {"created_at": "2026-03-01 10:00:00Z", "updated_at": "2026-03-01T10:00:00.5"},
        {"unknown": {"deep": {"er": [1, -2.5e3, [], {}, "\\ud800", True, False, None]}}},
        {"company_code": 5, "status": "p" * 256},
    ],
)
def test_the_fast_way_takes_ordinary_pages(changes: dict[str, Any]) -> None:
    assert payment_columns(page(changes, changes), MOST_ROWS) is not None


@pytest.mark.parametrize("body", [b"[]", b" [ ]\n"])
def test_the_fast_way_takes_an_empty_page(body: bytes) -> None:
    found = payment_columns(body, MOST_ROWS)

    assert found is not None
    assert len(found[0]) == 0
    assert found[0].schema == payments_of([]).columns.schema
    assert found[-1] == {}


def test_the_fast_way_leaves_what_is_nested_deep_to_the_rules() -> None:
    nested = "[" * 100_000 + "]" * 100_000

    assert payment_columns(page({"unknown": 1}).replace(b": 1}", f": {nested}}}".encode()), MOST_ROWS) is None


def test_the_fast_way_leaves_a_page_of_too_many_rows_to_the_rules() -> None:
    assert payment_columns(page({}, {}), 1) is None


def test_the_fast_way_leaves_a_page_with_an_odd_row_to_the_rules() -> None:
    rows = parse_payments(page({}, {"amount": "much"}), MOST_ROWS)

    assert rows.reasons.to_pylist() == [None, "amount is not a number"]
    assert rows.columns["amount"].to_pylist()[1] is None


def test_the_fast_way_leaves_a_page_without_any_moment_to_the_rules() -> None:
    rows = parse_payments(page({"payment_at": None, "created_at": None, "updated_at": None}), MOST_ROWS)

    assert rows.reasons.null_count == 0


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("9999999999999999.99", "9999999999999999.99"),
        ("1e15", "1000000000000000.00"),
        ("12.345", "12.35"),
        ("-0.005", "-0.01"),
        ("1.10000000000000000000", "1.10"),
        ('"12.5"', "12.50"),
    ],
)
def test_the_fast_way_takes_amounts_to_the_last_digit(written: str, amount: str) -> None:
    found = payment_columns(page({}, {"amount": 0}).replace(b'"amount": 0', f'"amount": {written}'.encode()), MOST_ROWS)

    assert found is not None
    assert found[0]["amount"].to_pylist() == [Decimal("12.50"), Decimal(amount)]


def test_the_fast_way_leaves_giant_rows_to_the_rules() -> None:
    rows = parse_payments(page({}, {"unknown": "x" * 70_000}, {}), MOST_ROWS)

    assert rows.reasons.to_pylist() == [None, "the row is larger than 64 KiB", None]


def test_a_row_keeps_its_text_whichever_way_it_came() -> None:
    body = page({}, {})

    assert payment_columns(body, MOST_ROWS) is not None
    assert f"[{','.join(parse_payments(body, MOST_ROWS).texts())}]".encode() == body


def test_a_page_with_a_refused_row_still_knows_when_it_was_updated() -> None:
    rows = parse_payments(page({"amount": "much", "updated_at": "2026-03-02T00:00:00Z"}), MOST_ROWS)

    assert rows.columns["updated_at"].to_pylist() == [datetime(2026, 3, 2, tzinfo=UTC)]
