"""How times, numbers and states read. Times are UTC; what is not set is a dash."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from afin.ingest.v1 import ingest_pb2 as ingest

NOTHING = "–"
UNKNOWN = "unknown"
SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))
SIZES = ("B", "kB", "MB", "GB", "TB")


def moment_of(timestamp: Timestamp | datetime | None) -> datetime | None:
    """An aware moment; None for a field that is not set."""
    if isinstance(timestamp, datetime) or timestamp is None:
        return timestamp
    return timestamp.ToDatetime(tzinfo=UTC) if timestamp.seconds or timestamp.nanos else None


def moment(timestamp: Timestamp | datetime | None) -> str:
    """2026-11-30 04:00:12."""
    return _formed(timestamp, "%Y-%m-%d %H:%M:%S")


def minute(timestamp: Timestamp | datetime | None) -> str:
    """2026-11-30 04:00."""
    return _formed(timestamp, "%Y-%m-%d %H:%M")


def day(timestamp: Timestamp | datetime | None) -> str:
    """2026-11-30."""
    return _formed(timestamp, "%Y-%m-%d")


def iso(timestamp: Timestamp | datetime | None) -> str:
    """As machines read it: 2026-11-30T04:00:12Z."""
    return _formed(timestamp, "%Y-%m-%dT%H:%M:%SZ", "")


def beside(timestamps: Iterable[Timestamp]) -> list[str]:
    """Moments side by side: by the time of day where all are of one day, else by the day; empty for one not set."""
    moments = [moment_of(each) for each in timestamps]
    form = "%H:%M" if len({at.date() for at in moments if at}) == 1 else "%d %b"
    return [_formed(at, form, "") for at in moments]


def relative(timestamp: Timestamp | datetime | None, now: datetime) -> str:
    """3 min ago, in 5 h, now."""
    at = moment_of(timestamp)
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    told = _coarse(abs(seconds))
    return f"{told} ago" if seconds > 0 else f"in {told}"


def span(length: timedelta | Duration | None) -> str:
    """A length of time in its largest unit, with one more where it is small: 1.4 s, 3 min 20 s, 2 h 5 min, 12 d."""
    if length is None:
        return NOTHING
    seconds = (length.ToTimedelta() if isinstance(length, Duration) else length).total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    size, _ = _unit_of(seconds)
    rest = seconds % size
    is_small = seconds < 10 * size and rest >= _unit_of(size - 1)[0]
    return f"{_coarse(seconds)} {_coarse(rest)}" if is_small else _coarse(seconds)


def _coarse(seconds: float) -> str:
    size, name = _unit_of(seconds)
    return f"{int(seconds // size)} {name}"


def _unit_of(seconds: float) -> tuple[int, str]:
    return next((unit for unit in UNITS if seconds >= unit[0]), UNITS[-1])


def between(begin: Timestamp | datetime | None, end: Timestamp | datetime | None) -> timedelta | None:
    """The time from one moment to another; None when one of them is not there."""
    first, last = moment_of(begin), moment_of(end)
    return last - first if first and last else None


def number(value: float | None) -> str:
    """12,345; None is a dash."""
    return NOTHING if value is None else f"{value:,.0f}"


def figure(value: float | None, places: int = 3) -> str:
    """0.123."""
    return NOTHING if value is None else f"{value:.{places}f}"


def percent(value: float | None, places: int = 1) -> str:
    """12.3 %, of a share from 0 to 1."""
    return NOTHING if value is None else f"{value * 100:.{places}f} %"


def size(octets: float) -> str:
    """12.3 MB, by thousands."""
    for name in SIZES[:-1]:
        if octets < 1000:
            return f"{octets:.0f} {name}" if name == "B" else f"{octets:.1f} {name}"
        octets /= 1000
    return f"{octets:.1f} {SIZES[-1]}"


def counted(count: int, noun: str) -> str:
    """1 run, 2 runs."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def pipeline_word(pipeline: int) -> str:
    """companies, recommendations, …"""
    return _word(ingest.Pipeline, "PIPELINE_", pipeline)


def run_word(state: int) -> str:
    """queued, running, succeeded, failed or cancelled."""
    return _word(ingest.RunState, "RUN_STATE_", state)


def step_word(state: int) -> str:
    """pending, running, succeeded, failed or cancelled."""
    return _word(ingest.StepState, "STEP_STATE_", state)


def trigger_word(trigger: int) -> str:
    """Of a run: by hand, or by schedule."""
    return "by schedule" if trigger == ingest.TRIGGER_SCHEDULE else "by hand"


def plain(name: str) -> str:
    """save_payments_to_db as people read it."""
    return name.replace("_", " ")


def _formed(timestamp: Timestamp | datetime | None, form: str, none: str = NOTHING) -> str:
    at = moment_of(timestamp)
    return at.strftime(form) if at else none


def _word(names: Any, prefix: str, value: int) -> str:
    """Newer services may tell values that have no name here."""
    return names.Name(value).removeprefix(prefix).lower() if value in names.values() else UNKNOWN
