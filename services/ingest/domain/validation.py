"""What a payment is, and what a company: every row is either taken, typed and clean, or refused with its reason."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from services.ingest.domain import values
from services.ingest.domain.rows import SourceRow
from services.ingest.domain.values import Fields, Odd, Refused, given, required


# Named tuples, in the order of the lake's schemas: a page of them turns into columns by one zip.
class PaymentRow(NamedTuple):
    """A valid payment; the fields are those of services.contracts.lake.PAYMENTS_SCHEMA but `position`."""

    payment_id: str
    company_code: str
    payment_at: datetime | None
    status: str
    amount: Decimal
    external_client_id: str
    created_at: datetime
    updated_at: datetime


class CompanyRow(NamedTuple):
    """A valid company; the fields are those of services.contracts.lake.COMPANIES_SCHEMA but `position`."""

    company_id: int
    company_code: str
    company_name: str
    category_id: int | None
    category_name: str | None
    is_top_biller: bool | None


def payment_row(fields: Any) -> PaymentRow:
    """The payment, or Refused."""
    known = _object(fields)
    return PaymentRow(
        payment_id=values.identifier(required(known, "id"), "id"),
        company_code=values.identifier(required(known, "company_code"), "company_code"),
        payment_at=_payment_at(known),
        status=values.text(required(known, "status"), "status"),
        amount=values.amount(required(known, "amount"), "amount"),
        external_client_id=values.identifier(required(known, "external_client_id"), "external_client_id"),
        created_at=values.moment(required(known, "created_at"), "created_at"),
        updated_at=values.moment(required(known, "updated_at"), "updated_at"),
    )


def company_row(fields: Any) -> CompanyRow:
    """The company, or Refused. Category and top biller may be missing."""
    known = _object(fields)
    return CompanyRow(
        company_id=values.whole_number(required(known, "id"), "id"),
        company_code=values.identifier(required(known, "company_code"), "company_code"),
        company_name=values.text(required(known, "company_name"), "company_name"),
        category_id=_optional(known, "category_id", values.whole_number),
        category_name=_optional(known, "category_name", values.text),
        is_top_biller=_optional(known, "is_top_biller", values.truth),
    )


def updated_at(row: SourceRow) -> datetime | None:
    """When a payment was updated, as far as its row tells."""
    try:
        return values.moment(_object(row.fields).get("updated_at"), "updated_at")
    except Refused:
        return None


def _object(fields: Any) -> Fields:
    if fields is Odd.TOO_LARGE:
        raise Refused("the row is larger than 64 KiB")
    if fields is Odd.TOO_DEEP:
        raise Refused("the row is nested too deep")
    if fields is Odd.CUT:
        raise Refused("the row was too long to be kept whole")
    if not isinstance(fields, dict):
        raise Refused("the row is not a JSON object")
    return fields


def _payment_at(fields: Fields) -> datetime | None:
    if "payment_at" not in fields:
        raise Refused("payment_at is missing")
    return _optional(fields, "payment_at", values.moment)


Value = TypeVar("Value")


def _optional(fields: Fields, name: str, parse: Callable[[Any, str], Value]) -> Value | None:
    value = given(fields, name)
    return None if value is None else parse(value, name)
