"""How a column of a user's Parquet file becomes a column of a Dataset: liberal in types, strict in values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

TEXT = pa.string()
TIME = pa.timestamp("us", tz="UTC")
AMOUNT = pa.decimal128(20, 2)
INTEGER = pa.int64()
FLAG = pa.bool_()

# Enough digits for any number that a text may hold before it is rounded to two decimals.
_WIDE_DECIMAL = pa.decimal256(76, 30)
_WITH_ZONE = r"\d:\d\d.*([Zz]|[+-]\d\d(:?\d\d)?)$"
# The first and the last microsecond of the years 1 to 9999, counted from 1970.
_TIME_BOUNDS = (-62_135_596_800_000_000, 253_402_300_799_999_999)


class UnreadableTypeError(TypeError):
    """No value of this type can become what the column needs."""


@dataclass(frozen=True)
class Column:
    """One column of a Dataset: its type, whether a file must have it, and whether its values may be missing."""

    name: str
    type: pa.DataType
    required: bool = True
    nullable: bool = True


def read_values(values: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    """`values` as `target`; UnreadableTypeError when their type never fits, ValueError when one of them does not."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_null(values.type):
        return values.cast(target)
    read, _ = _READERS[target]
    return read(values)


def expectation(target: pa.DataType) -> str:
    """What a file may hold where `target` is needed, for a person."""
    _, expected = _READERS[target]
    return expected


def first_unreadable(values: pa.ChunkedArray, target: pa.DataType) -> int:
    """The position of the first value for which `read_values` raises ValueError; there must be one."""
    start, length = 0, len(values)
    while length > 1:
        half = length // 2
        if _readable(values.slice(start, half), target):
            start, length = start + half, length - half
        else:
            length = half
    return start


def _readable(values: pa.ChunkedArray, target: pa.DataType) -> bool:
    try:
        read_values(values, target)
    except ValueError:
        return False
    return True


def _read_text(values: Any) -> Any:
    if _is_text(values.type):
        text = values.cast(TEXT)
        if pc.any(pc.match_substring(text, "\0")).as_py():
            raise ValueError("text with a NUL character, which PostgreSQL cannot store")
        return text
    if pa.types.is_integer(values.type):
        return values.cast(TEXT)
    if _is_fractional(values.type):
        return values.cast(INTEGER).cast(TEXT)
    raise UnreadableTypeError


def _read_integer(values: Any) -> Any:
    if _is_text(values.type):
        return pc.utf8_trim_whitespace(values).cast(INTEGER)
    if pa.types.is_integer(values.type) or _is_fractional(values.type):
        return values.cast(INTEGER)
    raise UnreadableTypeError


def _read_flag(values: Any) -> Any:
    if _is_text(values.type):
        return pc.utf8_trim_whitespace(values).cast(FLAG)
    if pa.types.is_boolean(values.type) or pa.types.is_integer(values.type):
        return values.cast(FLAG)
    raise UnreadableTypeError


def _read_amount(values: Any) -> Any:
    if pa.types.is_floating(values.type):
        # Straight to the decimal, which rounds the double's own value; NaN and infinity are refused.
        return values.cast(pa.float64()).cast(AMOUNT)
    if _is_text(values.type):
        return pc.round(pc.utf8_trim_whitespace(values).cast(_WIDE_DECIMAL), 2).cast(AMOUNT)
    if pa.types.is_integer(values.type):
        return values.cast(pa.decimal128(38, 2)).cast(AMOUNT)
    if pa.types.is_decimal(values.type):
        return pc.round(values.cast(_WIDE_DECIMAL), 2).cast(AMOUNT)
    raise UnreadableTypeError


def _read_time(values: Any) -> Any:
    if _is_text(values.type):
        times = _parse_times(pc.utf8_trim_whitespace(values))
    elif pa.types.is_timestamp(values.type):
        # Nanoseconds lose their last three digits; coarser units must fit.
        times = values.cast(pa.timestamp("us", values.type.tz), safe=values.type.unit != "ns").cast(TIME)
    elif pa.types.is_date(values.type):
        times = values.cast(pa.timestamp("us")).cast(TIME)
    else:
        raise UnreadableTypeError
    _require_calendar_years(times)
    return times


def _parse_times(text: Any) -> Any:
    """ISO 8601 text; without an offset it is UTC."""
    zoned = pc.match_substring_regex(text, _WITH_ZONE)
    missing = pa.scalar(None, text.type)
    instants = pc.if_else(zoned, text, missing).cast(TIME)
    local = pc.if_else(zoned, missing, text).cast(pa.timestamp("us")).cast(TIME)
    return pc.coalesce(instants, local)


def _require_calendar_years(times: Any) -> None:
    bounds = pc.min_max(times.cast(pa.int64())).as_py()
    first, last = _TIME_BOUNDS
    if bounds["min"] is not None and not first <= bounds["min"] <= bounds["max"] <= last:
        raise ValueError("a time outside the years 1 to 9999")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_fractional(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


_READERS: dict[pa.DataType, tuple[Callable[[Any], Any], str]] = {
    TEXT: (_read_text, "text or whole numbers"),
    TIME: (_read_time, "timestamps, dates or ISO 8601 text (UTC where no offset is given)"),
    AMOUNT: (_read_amount, "numbers, or text such as 12.50, below 10^18"),
    INTEGER: (_read_integer, "whole numbers, also as text, of at most 64 bits"),
    FLAG: (_read_flag, "booleans, 0 and 1, or the text true and false"),
}
