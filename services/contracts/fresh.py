"""Histories that are newer than an index version, and companies that must not be recommended from it any more.

    index/fresh/<version>/<number>     the highest number counts, and replaces all before it

A bundle never changes; what clients paid since it was built is told beside it, by objects that are written once. Each
holds all there is to tell: whole histories of the clients that changed, as the build would have made them, and the
companies that were retired or merged since. The first number is the milliseconds since 1970 when what is in service
was published, any other is one more than the one before: of those who make the same one at a time, one wins.

Bytes: MAGIC; the SHA-256 of the rest; the length of the header, 8 bytes, little-endian; the header, padded with spaces
to a multiple of 8; the arrays, as COLUMNS names them, little-endian.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field

from services.contracts.bundle import LedgerPlace
from services.contracts.client_keys import are_ascending
from services.contracts.stored import Stored

FRESH_PREFIX = "index/fresh/"
KEY = re.compile(re.escape(FRESH_PREFIX) + r"([^/]+)/(\d{16})")
MAGIC = b"AFINFRESH1\0\0\0\0\0\0"
HEADER_AT = len(MAGIC) + hashlib.sha256().digest_size + 8
COLUMNS = (
    ("keys", "<u8"),
    ("offsets", "<i8"),
    ("companies", "<i4"),
    ("weights", "<f4"),
    ("habits", "<f4"),
    ("barred", "<i4"),
    ("successors", "<i4"),
)
NONE = -1


class FreshHeader(Stored):
    """What an object is of. `behind`: the newest load whose payments it knows; `erasures`: whose clients it is without.

    changed_at: the commit of the newest load that changed one of its histories, None without any.
    """

    version: str
    number: int = Field(ge=0)
    behind: LedgerPlace
    erasures: tuple[str, ...]
    changed_at: AwareDatetime | None
    clients: int = Field(ge=0)
    pairs: int = Field(ge=0)
    barred: int = Field(ge=0)

    def lengths(self) -> dict[str, int]:
        """Numbers in each column."""
        pairs = dict.fromkeys(("companies", "weights", "habits"), self.pairs)
        barred = dict.fromkeys(("barred", "successors"), self.barred)
        return {"keys": 2 * self.clients, "offsets": self.clients + 1, **pairs, **barred}


@dataclass(frozen=True, slots=True)
class FreshColumns:
    """keys: (clients, 2), ascending; offsets: (clients + 1,) into companies, weights and habits, as in a bundle.

    An empty history is that of a client who has no payments any more. barred: dense ids, ascending, never to be
    recommended; successors: the dense id under which each of them goes on, or -1.
    """

    keys: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    companies: NDArray[np.int32]
    weights: NDArray[np.float32]
    habits: NDArray[np.float32]
    barred: NDArray[np.int32]
    successors: NDArray[np.int32]

    def to_bytes(self) -> bytes:
        """The arrays behind each other."""
        return b"".join(np.ascontiguousarray(getattr(self, name), dtype=kind).tobytes() for name, kind in COLUMNS)


@dataclass(frozen=True, slots=True)
class Fresh:
    """An object as it is stored."""

    header: FreshHeader
    columns: FreshColumns

    def to_bytes(self) -> bytes:
        """The same values give the same bytes."""
        head = self.header.model_dump_json().encode()
        head += b" " * (-len(head) % 8)
        rest = len(head).to_bytes(8, "little") + head + self.columns.to_bytes()
        return MAGIC + hashlib.sha256(rest).digest() + rest


def fresh_of(content: Any, name: str) -> Fresh:
    """From bytes, or what is mapped as such, without a copy of the arrays; ValueError says what is wrong with them."""
    view = memoryview(content)
    rest = view[len(MAGIC) + 32 :]
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise ValueError(f"{name} does not begin as fresh histories do")
    if hashlib.sha256(rest).digest() != bytes(view[len(MAGIC) : len(MAGIC) + 32]):
        raise ValueError(f"{name} does not have the SHA-256 that it names")
    end = HEADER_AT + int.from_bytes(rest[:8], "little")
    header = FreshHeader.from_bytes(bytes(view[HEADER_AT:end]), name)
    sizes = [length * np.dtype(kind).itemsize for length, (_, kind) in zip(_lengths(header), COLUMNS, strict=True)]
    if end + sum(sizes) != len(view):
        raise ValueError(f"{name} has {len(view)} bytes, its header says {end + sum(sizes)}")
    begins = np.cumsum([end, *sizes])[:-1].tolist()
    arrays: dict[str, Any] = {
        column: np.frombuffer(view, dtype=kind, count=length, offset=begin)
        for (column, kind), length, begin in zip(COLUMNS, _lengths(header), begins, strict=True)
    }
    columns = FreshColumns(**{**arrays, "keys": arrays["keys"].reshape(-1, 2)})
    _require_sound(header, columns, name)
    return Fresh(header, columns)


def require_fits(fresh: Fresh, version: str, companies: int, name: str) -> None:
    """ValueError unless it is of this version, and names no company beyond its dense ids."""
    if fresh.header.version != version:
        raise ValueError(f"{name} is of version {fresh.header.version}, not of {version}")
    columns = fresh.columns
    for ids in (columns.companies, columns.barred, columns.successors):
        if len(ids) and ids.max() >= companies:
            raise ValueError(f"{name} names companies that the index does not hold")


def fresh_prefix(version: str) -> str:
    """Object keys of a version's fresh histories begin so."""
    return f"{FRESH_PREFIX}{version}/"


def fresh_key(version: str, number: int) -> str:
    """Keys sort as numbers do."""
    return f"{fresh_prefix(version)}{number:016d}"


def _lengths(header: FreshHeader) -> list[int]:
    lengths = header.lengths()
    return [lengths[name] for name, _ in COLUMNS]


def _require_sound(header: FreshHeader, columns: FreshColumns, name: str) -> None:
    offsets, habits = columns.offsets, columns.habits
    sound = {
        "keys in ascending order": are_ascending(columns.keys),
        "offsets that divide its pairs": offsets[0] == 0
        and offsets[-1] == header.pairs
        and (offsets[1:] >= offsets[:-1]).all(),
        "companies by dense ids": (columns.companies >= 0).all() and (columns.successors >= NONE).all(),
        "finite weights": np.isfinite(columns.weights).all(),
        "habits from 0 to 1": ((habits >= 0) & (habits <= 1)).all(),
        "barred companies in ascending order": (columns.barred >= 0).all() and (np.diff(columns.barred) > 0).all(),
    }
    for expected, holds in sound.items():
        if not holds:
            raise ValueError(f"{name} must hold {expected}")
