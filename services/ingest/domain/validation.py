"""Every row is either taken, typed and clean, or refused with its reason; one bad row never stops good ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from services.ingest.domain import values
from services.ingest.domain.rows import SourceRow
from services.ingest.domain.values import Fields, Refused, required
from services.ingest.domain.window import DayRange

# The header `Date` counts whole seconds.
CLOCK_RESOLUTION = timedelta(seconds=1)
# A day of another time zone may have begun where the payment was made.
DATE_TOLERANCE = timedelta(days=1)


# Named tuples, in the order of the lake's schemas: a page of them turns into columns by one zip.
class PaymentRow(NamedTuple):
    """A valid payment; the fields are those of services.contracts.lake.PAYMENTS_SCHEMA."""

    payment_id: str
    company_code: str
    payment_at: datetime | None
    status: str
    amount: Decimal
    external_client_id: str
    created_at: datetime
    updated_at: datetime
    position: int


class CompanyRow(NamedTuple):
    """A valid company; the fields are those of services.contracts.lake.COMPANIES_SCHEMA."""

    company_id: int
    company_code: str
    company_name: str
    category_id: int | None
    category_name: str | None
    is_top_biller: bool | None
    position: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row for the quarantine: why, and the text that the source gave."""

    reason: str
    raw: str


Row = TypeVar("Row", PaymentRow, CompanyRow)


@dataclass(frozen=True, slots=True)
class Sifted(Generic[Row]):
    """What became of some rows of the source.

    `out_of_range` were left aside, for a backfill asked for other days; `erased`, for their client was erased.
    """

    taken: list[Row]
    refused: list[RefusedRow]
    out_of_range: int = 0
    erased: int = 0

    @property
    def read(self) -> int:
        """Rows that enter the run's account."""
        return len(self.taken) + len(self.refused)


def payment_row(fields: Any, source_time: datetime, position: int) -> PaymentRow:
    """The payment, or Refused. `source_time`: the source's clock when it gave the row."""
    given = _object(fields)
    row = PaymentRow(
        payment_id=values.identifier(required(given, "id"), "id"),
        company_code=values.identifier(required(given, "company_code"), "company_code"),
        payment_at=_payment_at(given),
        status=values.text(required(given, "status"), "status"),
        amount=values.amount(required(given, "amount"), "amount"),
        external_client_id=values.identifier(required(given, "external_client_id"), "external_client_id"),
        created_at=values.moment(required(given, "created_at"), "created_at"),
        updated_at=values.moment(required(given, "updated_at"), "updated_at"),
        position=position,
    )
    if row.payment_at is not None and row.payment_at > source_time + DATE_TOLERANCE:
        raise Refused("payment_at is in the future of the source's clock")
    if row.updated_at > source_time + CLOCK_RESOLUTION:
        raise Refused("updated_at is in the future of the source's clock")
    return row


def company_row(fields: Any, position: int) -> CompanyRow:
    """The company, or Refused. Category and top biller may be missing."""
    given = _object(fields)
    return CompanyRow(
        company_id=values.whole_number(required(given, "id"), "id"),
        company_code=values.identifier(required(given, "company_code"), "company_code"),
        company_name=values.text(required(given, "company_name"), "company_name"),
        category_id=_optional(given, "category_id", values.whole_number),
        category_name=_optional(given, "category_name", values.text),
        is_top_biller=_optional(given, "is_top_biller", values.truth),
        position=position,
    )


def updated_at(row: SourceRow) -> datetime | None:
    """When a payment was updated, as far as its row tells."""
    try:
        return values.moment(_object(row.fields).get("updated_at"), "updated_at")
    except Refused:
        return None


def within(rows: Sequence[SourceRow], days: DayRange) -> list[SourceRow]:
    """Rows that a backfill of some days is about; one that does not tell when it was updated stays, to be refused."""
    return [row for row in rows if (moment := updated_at(row)) is None or days.holds(moment)]


def sift(rows: Sequence[SourceRow], first_position: int, take: Callable[[Any, int], Row]) -> Sifted[Row]:
    """Sorts rows into taken and refused; `take` makes a row of fields and position, or raises Refused."""
    sifted: Sifted[Row] = Sifted([], [])
    for position, row in enumerate(rows, first_position):
        try:
            sifted.taken.append(take(row.fields, position))
        except Refused as refusal:
            sifted.refused.append(RefusedRow(refusal.reason, row.raw))
    return sifted


def _object(fields: Any) -> Fields:
    if not isinstance(fields, dict):
        raise Refused("the row is not a JSON object")
    return fields


def _payment_at(fields: Fields) -> datetime | None:
    if "payment_at" not in fields:
        raise Refused("payment_at is missing")
    return _optional(fields, "payment_at", values.moment)


Value = TypeVar("Value")


def _optional(fields: Fields, name: str, parse: Callable[[Any, str], Value]) -> Value | None:
    value = fields.get(name)
    return None if value is None else parse(value, name)
