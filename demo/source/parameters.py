"""The query parameters of a request, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

DEFAULT_LIMIT = 1000
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadParameterError(Exception):
    """A parameter is missing or wrong; the message names it."""


@dataclass(frozen=True)
class Page:
    """Which rows of a list."""

    limit: int
    offset: int


def read_page(query: Mapping[str, str], max_limit: int) -> Page:
    """`limit` (1000 unless given, silently capped at `max_limit`) and `offset` (0 unless given)."""
    limit = _whole_number(query, "limit", DEFAULT_LIMIT)
    if limit < 1:
        raise BadParameterError("limit must be at least 1")
    return Page(min(limit, max_limit), _whole_number(query, "offset", 0))


def read_updated_after(query: Mapping[str, str]) -> datetime:
    """`updated_at` as midnight UTC of that day."""
    value = query.get("updated_at", "")
    try:
        day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None:
        raise BadParameterError("updated_at must be a date such as 2024-12-31")
    return datetime.combine(day, time.min, UTC)


def _whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name)
    if value is None:
        return default
    if not _WHOLE_NUMBER.fullmatch(value):
        raise BadParameterError(f"{name} must be a whole number, 0 or more, of at most 18 digits")
    return int(value)
