"""A page of the source from bytes to rows, each with its own text. Money never passes through float."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from threading import Lock
from typing import Any

from services.ingest.adapters.payment_columns import payment_columns
from services.ingest.domain.page_rows import PageRows, companies_of, payments_of
from services.ingest.domain.rows import COMPANY_FIELDS, MAX_ROW, PAYMENT_FIELDS, SourceRow, source_row
from services.ingest.domain.values import Odd

GAP = re.compile(r"[ \t\n\r]*")
# A text that is cut is one to the end: else each quote in it would be tried as the beginning of another.
BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
# Beyond it int() itself refuses; no field of ours is that long.
MAX_DIGITS = 1000
# A page may take many times its bytes while its rows are made one by one: it has to be the only one.
ROW_BY_ROW = Lock()


class NotAPage(Exception):
    """The body is no JSON list; says what it is instead."""


def parse_payments(body: bytes, most: int) -> PageRows:
    """The payments of a JSON list, `most` at most. Raises NotAPage.

    Pages of ordinary rows take the fast way, as columns. It may refuse any page, and agrees with the other on the rest.
    """
    columns = payment_columns(body, most)
    if columns is None:
        with ROW_BY_ROW:
            return payments_of(_rows(body, PAYMENT_FIELDS, most))
    return PageRows(*columns, lambda: [row.raw for row in parse_rows(body, PAYMENT_FIELDS, most)])


def parse_companies(body: bytes, most: int) -> PageRows:
    """The companies of a JSON list, likewise."""
    with ROW_BY_ROW:
        return companies_of(_rows(body, COMPANY_FIELDS, most))


def parse_rows(body: bytes, names: Sequence[str], most: int) -> list[SourceRow]:
    """The rows of a JSON list, whatever each is; `names`: the fields that make a row's identity. Raises NotAPage."""
    return list(_rows(body, names, most))


def _rows(body: bytes, names: Sequence[str], most: int) -> Iterator[SourceRow]:
    """One at a time: what is made of JSON may be twenty times as large as its text."""
    # A byte that is no UTF-8 makes its row bad, not its page: it becomes half a surrogate pair, which no text may hold.
    text = body.decode("utf-8-sig", "surrogateescape")
    try:
        for number, (value, raw) in enumerate(_elements(text)):
            if number == most:
                raise NotAPage(f"holds more than {most} rows")
            yield _row(value, raw, names)
    except ValueError:
        raise NotAPage("is not JSON, or cut") from None


def _row(value: Any, raw: str, names: Sequence[str]) -> SourceRow:
    try:
        return source_row(value, raw, names)
    except RecursionError:  # just not too deep to be read, but to be looked through
        return source_row(Odd.TOO_DEEP, raw, names)


def _elements(text: str) -> Iterator[tuple[Any, str]]:
    """The values of the list with their text. ValueError where JSON ends."""
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise NotAPage("is not a JSON list")
    at = _skip(text, at + 1)
    closed = text[at : at + 1] == "]"
    while not closed:
        value, end = _element(text, at)
        yield value, text[at:end]
        at = _skip(text, end)
        closed = text[at : at + 1] == "]"
        if not closed and text[at : at + 1] != ",":
            raise ValueError("neither , nor ] after a value")
        if not closed:
            at = _skip(text, at + 1)
    if _skip(text, at + 1) != len(text):
        raise ValueError("text after the list")


def _element(text: str, at: int) -> tuple[Any, int]:
    if text[at : at + 1] in ("{", "[", '"'):
        end = _end_of(text, at)
        if end - at > MAX_ROW:
            return Odd.TOO_LARGE, end
    try:
        return DECODER.raw_decode(text, at)
    except RecursionError:
        return Odd.TOO_DEEP, _end_of(text, at)


def _end_of(text: str, at: int) -> int:
    """Where the list, object or text that begins here is closed, without a look at what is in it."""
    depth = 0
    for token in BRACKET.finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(text[token.start()], 0)
        if depth == 0:
            return token.end()
    raise ValueError("cut within a value")


def _skip(text: str, at: int) -> int:
    match = GAP.match(text, at)
    return at if match is None else match.end()


def _decimal(text: str) -> Any:
    try:
        return Decimal(text)
    except ArithmeticError:
        return Odd.UNPARSABLE


def _integer(text: str) -> Any:
    return int(text) if len(text) <= MAX_DIGITS else Odd.UNPARSABLE


def _constant(_name: str) -> Any:
    """NaN and the infinities, which are no JSON."""
    return Odd.UNPARSABLE


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        fields |= {name: Odd.TWICE for name, count in counts.items() if count > 1}
    return fields


# Not strict: a control character inside a text makes its row bad, not its page.
DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant, strict=False
)
