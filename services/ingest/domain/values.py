"""From JSON values to typed ones, or a refusal that names field and problem and never a value."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any

from services.contracts.identifiers import MAX_ID_CHARACTERS

MAX_TEXT = 256
CENT = Decimal("0.01")
# numeric(18, 2) holds 16 digits before the point.
AMOUNT_LIMIT = Decimal(10) ** 16
INT64 = range(-(2**63), 2**63)
# Every database, calendar and time zone on the way can hold these years.
FIRST_YEAR, LAST_YEAR = 1970, 9998
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# Halves of surrogate pairs, and bytes that are no UTF-8, which the page's decoding leaves as such.
NO_UNICODE = re.compile("[\ud800-\udfff]")
# Possessive: what is all but a number, and long, would be tried in as many ways as it has digits.
NUMBER = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,20}", re.ASCII)

Fields = Mapping[str, Any]


class Refused(Exception):
    """Why a row is not taken: a constant phrase."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Odd(Enum):
    """Stands where JSON text held what is no value of ours: its row is refused, not its page."""

    UNPARSABLE = "no number, e.g. NaN"
    TWICE = "given more than once, so that nobody can say which is meant"
    TOO_DEEP = "nested too deep to be read"
    TOO_LARGE = "longer than any row of ours could be"
    CUT = "kept in part only, for it was too long"


def given(fields: Fields, name: str) -> Any:
    """The value of a field, None where it is missing."""
    value = fields.get(name)
    if value is Odd.TWICE:
        raise Refused(f"{name} is given twice")
    return value


def required(fields: Fields, name: str) -> Any:
    """The value of a field that must be there and not null."""
    value = given(fields, name)
    if value is None:
        raise Refused(f"{name} is missing")
    return value


def text(value: Any, name: str, longest: int = MAX_TEXT) -> str:
    """Stripped text of 1 to `longest` characters, none of them a control character."""
    if not isinstance(value, str):
        raise Refused(f"{name} is not text")
    stripped = value.strip()
    if not stripped:
        raise Refused(f"{name} is empty")
    if len(stripped) > longest:
        raise Refused(f"{name} is longer than {longest} characters")
    if not stripped.isprintable():
        if CONTROL.search(stripped):
            raise Refused(f"{name} holds control characters")
        if NO_UNICODE.search(stripped):
            raise Refused(f"{name} is not valid Unicode")
    return stripped


def identifier(value: Any, name: str) -> str:
    """Text of 1 to 128 characters; a whole number is taken by its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    elif not isinstance(value, str):
        raise Refused(f"{name} is neither text nor a whole number")
    return text(value, name, MAX_ID_CHARACTERS)


def whole_number(value: Any, name: str) -> int:
    """A whole number of 64 bits, from a number or its digits."""
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(f"{name} is not a whole number")
    if value not in INT64:
        raise Refused(f"{name} does not fit into 64 bits")
    return value


def truth(value: Any, name: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Refused(f"{name} is neither true nor false")
    return value


def amount(value: Any, name: str) -> Decimal:
    """Money with two places, halves rounded away from zero, from a number or its decimal text."""
    number = _decimal(value, name)
    if not -AMOUNT_LIMIT < number < AMOUNT_LIMIT:
        raise Refused(f"{name} has more than 16 digits before the point")
    rounded = number.quantize(CENT, ROUND_HALF_UP)
    if not -AMOUNT_LIMIT < rounded < AMOUNT_LIMIT:
        raise Refused(f"{name} has more than 16 digits before the point")
    return rounded + 0  # zero has no sign


def moment(value: Any, name: str) -> datetime:
    """An aware moment in UTC from ISO 8601 text; text without a zone is UTC."""
    if not isinstance(value, str):
        raise Refused(f"{name} is not an ISO 8601 time")
    try:
        parsed = datetime.fromisoformat(value.strip())
        aware = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(f"{name} is not an ISO 8601 time") from None
    if not FIRST_YEAR <= aware.year <= LAST_YEAR:
        raise Refused(f"{name} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return aware


def _decimal(value: Any, name: str) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        try:
            return Decimal(value.strip())
        except ArithmeticError:  # an exponent beyond all that Decimal can hold
            pass
    raise Refused(f"{name} is not a number")
