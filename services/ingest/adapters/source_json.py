"""A page of the source from bytes to rows, each with its own text. Money never passes through float."""

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from services.ingest.domain.rows import SourceRow, source_row
from services.ingest.domain.values import UNPARSABLE

GAP = re.compile(r"[ \t\n\r]*")
# Beyond it int() itself refuses; no field of ours is that long.
MAX_DIGITS = 1000


class NotAPage(Exception):
    """The body is no JSON list; says what it is instead."""


def parse_page(body: bytes, names: Sequence[str], most: int) -> list[SourceRow]:
    """The rows of a JSON list, `most` at most, whatever each is; `names`: the fields that make a row's identity."""
    try:
        text = body.decode("utf-8-sig")
        rows = [source_row(value, raw, names) for value, raw in islice(_elements(text), most + 1)]
    except UnicodeDecodeError:
        raise NotAPage("is not UTF-8") from None
    except ValueError:
        raise NotAPage("is not JSON, or cut") from None
    except RecursionError:
        raise NotAPage("is nested too deep") from None
    if len(rows) > most:
        raise NotAPage(f"holds more than {most} rows")
    return rows


def _elements(text: str) -> Iterator[tuple[Any, str]]:
    """The values of the list with their text. ValueError where JSON ends."""
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise NotAPage("is not a JSON list")
    at = _skip(text, at + 1)
    closed = text[at : at + 1] == "]"
    while not closed:
        value, end = DECODER.raw_decode(text, at)
        yield value, text[at:end]
        at = _skip(text, end)
        closed = text[at : at + 1] == "]"
        if not closed and text[at : at + 1] != ",":
            raise ValueError("neither , nor ] after a value")
        if not closed:
            at = _skip(text, at + 1)
    if _skip(text, at + 1) != len(text):
        raise ValueError("text after the list")


def _skip(text: str, at: int) -> int:
    match = GAP.match(text, at)
    return at if match is None else match.end()


def _decimal(text: str) -> Any:
    try:
        return Decimal(text)
    except ArithmeticError:
        return UNPARSABLE


def _integer(text: str) -> Any:
    return int(text) if len(text) <= MAX_DIGITS else UNPARSABLE


def _constant(_name: str) -> Any:
    """NaN and the infinities, which are no JSON."""
    return UNPARSABLE


# Not strict: a control character inside a text makes its row bad, not its page.
DECODER = json.JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_constant, strict=False)
