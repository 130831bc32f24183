"""Recommendation ids: what an answer is called, so that its fate can be told later.

An id is 28 characters of URL-safe base64 and opaque to callers. In it, 21 bytes, big-endian:

    1  format (high half) and, in the low half, role (1 bit) and strategy (3 bits: the number in recommender.proto)
    4  when the answer was made, seconds since 1970
    6  a number that no other answer has: it counts on from a random start in each process
    4  epoch of the publication that answered
    4  epoch that the running experiment began with; 0 without one
    2  CRC-16 of the rest: whatever was mistyped or cut is refused

It tells nothing of the client. It is no secret and no proof: who may call can also make one up.
"""

import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Literal

Role = Literal["main", "challenger"]

ID_CHARACTERS = 28
FORMAT = 1
LAYOUT = struct.Struct(">BIHIII")
CHECK = struct.Struct(">H")
NUMBERS = 1 << 48
LARGEST_EPOCH = (1 << 32) - 1
LARGEST_STRATEGY = 7
URL_SAFE = bytes.maketrans(b"+/", b"-_")
FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class RecommendationId:
    """What an id says. `experiment`: the epoch that the experiment began with; 0: there was none."""

    made_at: datetime
    number: int
    epoch: int
    experiment: int
    role: Role
    strategy: int


def numbers(start: int) -> Iterator[int]:
    """The numbers of a process's answers, from a random `start` on; safe to share between threads."""
    return count(start % NUMBERS)


class Origin:
    """The part of ids that all answers of one index in service share. ValueError for epochs that no id can hold."""

    __slots__ = ("epoch", "experiment", "head")

    def __init__(self, epoch: int, experiment: int = 0, role: Role = "main") -> None:
        if not 0 <= epoch <= LARGEST_EPOCH or not 0 <= experiment <= LARGEST_EPOCH:
            raise ValueError(f"epochs of an id are 0 to {LARGEST_EPOCH}, not {epoch} and {experiment}")
        self.epoch = epoch
        self.experiment = experiment
        self.head = FORMAT << 4 | (8 if role == "challenger" else 0)


def encoded(origin: Origin, strategy: int, seconds: int, number: int) -> bytes:
    """An id in ASCII; `seconds` since 1970, `number` of `numbers`. Takes about a microsecond."""
    low = number & 0xFFFF_FFFF
    body = LAYOUT.pack(origin.head | strategy, seconds, number >> 32 & 0xFFFF, low, origin.epoch, origin.experiment)
    return binascii.b2a_base64(body + CHECK.pack(binascii.crc_hqx(body, 0)), newline=False).translate(URL_SAFE)


def decoded(text: str) -> RecommendationId:
    """What an id says. ValueError for anything that `encoded` did not give, but for made-up ids with a right check."""
    if len(text) != ID_CHARACTERS or not text.isascii() or set("+/") & set(text):
        raise ValueError("not the length or the characters of a recommendation id")
    content = binascii.a2b_base64(text.encode().translate(FROM_URL_SAFE), strict_mode=True)
    body = content[: LAYOUT.size]
    if len(content) != LAYOUT.size + CHECK.size or CHECK.unpack(content[LAYOUT.size :])[0] != binascii.crc_hqx(body, 0):
        raise ValueError("the check of the recommendation id is wrong")
    head, seconds, high, low, epoch, experiment = LAYOUT.unpack(body)
    if head >> 4 != FORMAT:
        raise ValueError("a recommendation id of another format")
    role: Role = "challenger" if head & 8 else "main"
    return RecommendationId(
        datetime.fromtimestamp(seconds, UTC), high << 32 | low, epoch, experiment, role, head & LARGEST_STRATEGY
    )
