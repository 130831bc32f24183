"""Every row is taken, typed and clean, or refused with a reason that names field and problem and never a value."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.page_rows import payments_of
from services.ingest.domain.rows import PAYMENT_FIELDS, source_row
from services.ingest.domain.validation import CompanyRow, PaymentRow, company_row, payment_row
from services.ingest.domain.values import Odd, Refused

GOOD: dict[str, Any] = {
    "id": "p1",
    "payment_at": "2026-03-01T10:00:00+00:00",
    "company_code": "acme",
    "status": "paid",
    "amount": Decimal("12.5"),
    "external_client_id": "client-1",
    "created_at": "2026-03-01T10:00:00Z",
    "updated_at": "2026-03-02T10:00:00.123456+02:00",
}
COMPANY: dict[str, Any] = {"id": 7, "company_code": "acme", "company_name": "Acme"}


def taken(**changes: Any) -> PaymentRow:
    """The row of a good payment with some fields changed."""
    return payment_row(GOOD | changes)


def reason(fields: Any) -> str:
    """Why a payment is refused."""
    with pytest.raises(Refused) as caught:
        payment_row(fields)
    return caught.value.reason


def company_reason(**changes: Any) -> str:
    """Why a company is refused."""
    with pytest.raises(Refused) as caught:
        company_row(COMPANY | changes)
    return caught.value.reason


def test_a_good_payment_is_taken_with_times_in_utc_and_money_of_two_places() -> None:
    assert taken() == PaymentRow(
        payment_id="p1",
        company_code="acme",
        payment_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        status="paid",
        amount=Decimal("12.50"),
        external_client_id="client-1",
        created_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        updated_at=datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC),
    )


def test_texts_are_stripped_and_whole_numbers_become_text() -> None:
    row = taken(id=17, company_code="  a b ", external_client_id=12345678901234567890)

    assert (row.payment_id, row.company_code, row.external_client_id) == ("17", "a b", "12345678901234567890")


def test_a_payment_that_was_not_made_yet_has_no_payment_at() -> None:
    assert taken(payment_at=None).payment_at is None


def test_a_time_without_zone_is_utc() -> None:
    assert taken(created_at="2026-03-01T10:00:00").created_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_amount", "amount"),
    [
        (12, "12.00"),
        ("12.345", "12.35"),
        (Decimal("0.005"), "0.01"),
        (Decimal("-0.005"), "-0.01"),
        (" 1e3 ", "1000.00"),
        (Decimal("9999999999999999.994"), "9999999999999999.99"),
        (Decimal("0E+999999"), "0.00"),
        (Decimal("1E-999999"), "0.00"),
    ],
)
def test_amounts_are_rounded_half_up_to_two_places(given_amount: Any, amount: str) -> None:
    assert str(taken(amount=given_amount).amount) == amount


@pytest.mark.parametrize(
    "given_amount",
    [
        True,
        "twelve",
        "",
        "1_000",
        "NaN",
        "١٢",
        [12],
        Odd.UNPARSABLE,
        "1e99999999999999999999",
        "1e",
        "1" * 20_000 + "x",
    ],
)
def test_an_amount_that_is_no_number_is_refused(given_amount: Any) -> None:
    assert reason(GOOD | {"amount": given_amount}) == "amount is not a number"


@pytest.mark.parametrize(
    "given_amount", [10**16, "-1e16", "1e99999", "9" * 65, Decimal("9999999999999999.995"), Decimal("1E+999999")]
)
def test_an_amount_too_large_for_the_warehouse_is_refused(given_amount: Any) -> None:
    assert reason(GOOD | {"amount": given_amount}) == "amount has more than 16 digits before the point"


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_missing_field_is_named(field: str) -> None:
    assert reason({name: value for name, value in GOOD.items() if name != field}) == f"{field} is missing"


@pytest.mark.parametrize("field", sorted(set(GOOD) - {"payment_at"}))
def test_null_in_a_required_field_is_a_missing_field(field: str) -> None:
    assert reason(GOOD | {field: None}) == f"{field} is missing"


@pytest.mark.parametrize("field", ["id", "company_code", "external_client_id", "status"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("   ", "is empty"),
        ("a\x00b", "holds control characters"),
        ("a\nb", "holds control characters"),
        ("a\ud800b", "is not valid Unicode"),
    ],
)
def test_bad_text_is_refused(field: str, value: str, problem: str) -> None:
    assert reason(GOOD | {field: value}) == f"{field} {problem}"


@pytest.mark.parametrize("value", [1.5, True, ["a"], {"a": 1}, Odd.UNPARSABLE, Decimal(1)])
def test_an_id_that_is_neither_text_nor_whole_number_is_refused(value: Any) -> None:
    assert reason(GOOD | {"id": value}) == "id is neither text nor a whole number"


@pytest.mark.parametrize(
    ("field", "longest"), [("id", 128), ("company_code", 128), ("external_client_id", 128), ("status", 256)]
)
def test_a_text_that_is_longer_than_anybody_could_ask_for_is_refused(field: str, longest: int) -> None:
    assert taken(**{field: "é" * longest})
    assert reason(GOOD | {field: "é" * (longest + 1)}) == f"{field} is longer than {longest} characters"


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_field_that_is_given_twice_is_refused(field: str) -> None:
    assert reason(GOOD | {field: Odd.TWICE}) == f"{field} is given twice"


def test_a_row_that_is_larger_than_any_payment_is_refused() -> None:
    assert reason(Odd.TOO_LARGE) == "the row is larger than 64 KiB"


def test_a_row_that_is_nested_too_deep_is_refused() -> None:
    assert reason(Odd.TOO_DEEP) == "the row is nested too deep"


def test_a_status_must_be_text() -> None:
    assert reason(GOOD | {"status": 1}) == "status is not text"


def test_unusual_letters_are_no_control_characters() -> None:
    assert taken(company_code="Ñandú\u00a0咖啡 👨\u200d👩\u200d👧").company_code == "Ñandú\u00a0咖啡 👨\u200d👩\u200d👧"


@pytest.mark.parametrize("field", ["payment_at", "created_at", "updated_at"])
@pytest.mark.parametrize("value", ["yesterday", "", 1772359200, "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_refused(field: str, value: Any) -> None:
    assert reason(GOOD | {field: value}) == f"{field} is not an ISO 8601 time"


@pytest.mark.parametrize("value", ["1969-12-31T23:59:59Z", "9999-01-01", "1970-01-01T00:00:00+01:00"])
def test_a_time_outside_the_years_that_all_can_hold_is_refused(value: str) -> None:
    assert reason(GOOD | {"created_at": value}) == "created_at lies outside the years 1970 to 9998"


@pytest.mark.parametrize("fields", [None, 1, "text", [GOOD], Odd.UNPARSABLE])
def test_a_row_that_is_no_object_is_refused(fields: Any) -> None:
    assert reason(fields) == "the row is not a JSON object"


PROBLEMS = (
    "is missing",
    "is given twice",
    "is empty",
    "is not text",
    "is neither text nor a whole number",
    "is longer than 128 characters",
    "is longer than 256 characters",
    "holds control characters",
    "is not valid Unicode",
    "is not a number",
    "has more than 16 digits before the point",
    "is not an ISO 8601 time",
    "lies outside the years 1970 to 9998",
)
REASONS = {f"{field} {problem}" for field in GOOD for problem in PROBLEMS}
ROW_REASONS = (
    "the row is not a JSON object",
    "the row is larger than 64 KiB",
    "the row is nested too deep",
    "the row was too long to be kept whole",
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text() | st.sampled_from(Odd),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(fields=json_values | st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, json_values)))
def test_whatever_the_source_gives_is_taken_or_refused_without_naming_a_value(fields: Any) -> None:
    (found,) = payments_of([source_row(fields, "raw", PAYMENT_FIELDS)]).reasons.to_pylist()

    assert found in {None, *ROW_REASONS, *REASONS}


def test_a_good_company_is_taken_with_what_may_be_missing_left_out() -> None:
    assert company_row(COMPANY) == CompanyRow(7, "acme", "Acme", None, None, None)


def test_a_company_with_all_fields_is_taken() -> None:
    more = {"id": " -9223372036854775808 ", "category_id": "12", "category_name": " Food ", "is_top_biller": False}

    assert company_row(COMPANY | more) == CompanyRow(-(2**63), "acme", "Acme", 12, "Food", False)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": 2**63}, "id does not fit into 64 bits"),
        ({"id": "seven"}, "id is not a whole number"),
        ({"id": True}, "id is not a whole number"),
        ({"company_name": ""}, "company_name is empty"),
        ({"company_name": None}, "company_name is missing"),
        ({"category_id": 1.5}, "category_id is not a whole number"),
        ({"is_top_biller": "yes"}, "is_top_biller is neither true nor false"),
    ],
)
def test_a_bad_company_is_refused(changes: dict[str, Any], problem: str) -> None:
    assert company_reason(**changes) == problem
