"""Feedback in the lake: what became of recommendations.

    raw/feedback/date=<day the answer was made, UTC>/part-<rows>-<sha256>.parquet

An object is named by the SHA-256 of its content: what is written again is written to the same name, and a reader checks
what it reads without a manifest, so one write makes a batch durable. Rows may come twice, in one object or in two; an
answer, a company and a kind together are one event. There is no client in any of it: an erasure has nothing to do here.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from services.contracts.lake import TIMESTAMP

FEEDBACK_PREFIX = "raw/feedback/"
PART = re.compile(
    r"raw/feedback/date=(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/part-(?P<rows>[0-9]{1,9})-(?P<sha256>[0-9a-f]{64})\.parquet"
)
# Clocks differ, so an event may seem to come before its answer; and later than that it is no consequence any more.
CLOCK_TOLERANCE, LONGEST = timedelta(days=1), timedelta(days=90)
KINDS = ("shown", "clicked", "paid")
# `number`, `made_at`, `epoch`, `experiment`, `role`, `strategy`: what the id says, see recommendation_ids.
FEEDBACK_SCHEMA = pa.schema(
    [
        pa.field("recommendation_id", pa.string(), nullable=False),
        pa.field("company_code", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("at", TIMESTAMP, nullable=False),
        pa.field("made_at", TIMESTAMP, nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("epoch", pa.int64(), nullable=False),
        pa.field("experiment", pa.int64(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("strategy", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class FeedbackPart:
    """An object of feedback by its key; `day`: when its answers were made."""

    key: str
    day: date
    rows: int
    sha256: str


def day_prefix(day: date) -> str:
    """What the keys of a day's parts begin with."""
    return f"{FEEDBACK_PREFIX}date={day.isoformat()}/"


def feedback_key(day: date, rows: int, sha256: str) -> str:
    """The key of a part."""
    return f"{day_prefix(day)}part-{rows}-{sha256}.parquet"


def feedback_part(key: str) -> FeedbackPart | None:
    """What a key names; None for whatever is no part."""
    found = PART.fullmatch(key)
    if found is None:
        return None
    try:
        return FeedbackPart(key, date.fromisoformat(found["day"]), int(found["rows"]), found["sha256"])
    except ValueError:
        return None
