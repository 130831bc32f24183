"""How values of the protos are said to a person."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

from cli.ending import WrongUse

STATE_STYLES = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "queued": "dim"}


def moment(stamp: Timestamp) -> str:
    """To the second, UTC; a dash where it is not set."""
    if not stamp.seconds and not stamp.nanos:
        return "-"
    return stamp.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def between(start: Timestamp, end: Timestamp) -> str:
    """How long it took; a dash before both are known."""
    if not start.seconds or not end.seconds:
        return "-"
    return seconds((end.ToDatetime() - start.ToDatetime()).total_seconds())


def seconds(count: float) -> str:
    """A length of time, in the largest unit that tells it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if count >= 2 * size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.1f} s"


def size(count: float) -> str:
    """Bytes, in the largest unit that tells them."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} B"


def name_of(name: Callable[[Any], str], value: int, prefix: str) -> str:
    """RUN_STATE_FAILED is said "failed"; a value that this version does not know by its number."""
    try:
        return name(value).removeprefix(prefix).lower()
    except ValueError:
        return str(value)


def styled_state(state: str) -> Text:
    """A state in its colour."""
    return Text(state, STATE_STYLES.get(state, ""))


def yes(value: bool) -> str:
    """A yes, or nothing."""
    return "yes" if value else ""


def shortened(text: str, length: int = 60) -> str:
    """A text of somebody else's on one line, of that length at most."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def listed(names: Iterable[str], none: str = "none") -> str:
    """Names with commas between."""
    return ", ".join(names) or none


def timestamp(text: str) -> Timestamp | None:
    """A moment as people write it: a day (its end, UTC), or ISO 8601; UTC without an offset. WrongUse for others."""
    if not text:
        return None
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is no moment; write 2026-06-01 or 2026-06-01T12:00:00Z") from None
    if len(text) == len("2026-06-01"):
        told = told.replace(hour=23, minute=59, second=59, microsecond=999999)
    stamp = Timestamp()
    stamp.FromDatetime(told if told.tzinfo else told.replace(tzinfo=UTC))
    return stamp
