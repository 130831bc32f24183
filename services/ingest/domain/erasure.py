"""Erased clients, who are known by digests alone, and how their rows are told from others.

A client's digest is the SHA-256 of a salt and then the id in UTF-8, the id as validation leaves it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.contracts.lake import TIMESTAMP
from services.ingest.domain.rows import MAX_ROW
from services.ingest.domain.sifting import RefusedRow, Sifted

# How far the source's clock may run before ours: what it dates so was there when the erasure began.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Texts, and numbers, in what need not be JSON as a whole.
TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[0-9.eE+-]+', re.DOTALL)


class UnreadableRow(ValueError):
    """A refused row whose text is no JSON that can be looked through: nobody can say whom it is of."""


def client_digest(salt: bytes, client_id: str) -> bytes:
    """32 bytes. The id is stripped, as every id is that gets through validation."""
    return hashlib.sha256(salt + client_id.strip().encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class ErasedClients:
    """By digest, until when: of payments created or updated later, whichever was earlier, none is left out."""

    salt: bytes = b""
    until: Mapping[bytes, datetime] = field(default_factory=dict)

    @property
    def edition(self) -> str:
        """Another one after each erasure, so that nothing from before it is gone on with; empty before the first."""
        return f"{len(self.until)} erased, {max(self.until.values())}" if self.until else ""

    def cover(self, client_ids: Iterable[str]) -> dict[str, datetime]:
        """Of some clients those that were erased, and until when."""
        moments = ((client, self.until.get(client_digest(self.salt, client))) for client in client_ids)
        return {client: moment for client, moment in moments if moment is not None}

    def covers(self, payments: pa.RecordBatch | pa.Table) -> pa.Array:
        """One truth a payment: whether its client was erased, and it was there by then."""
        covered = self.cover(pc.unique(payments["external_client_id"]).to_pylist())
        if not covered:
            return pa.repeat(pa.scalar(value=False), len(payments))
        until = pa.array([covered.get(client) for client in payments["external_client_id"].to_pylist()], TIMESTAMP)
        created, updated = (pc.less_equal(payments[name], until) for name in ("created_at", "updated_at"))
        return pc.or_(created, updated).fill_null(fill_value=False)

    def leave_out(self, sifted: Sifted) -> Sifted:
        """Rows without those of erased clients, which are counted alone: no trace of them may be kept."""
        if not self.until:
            return sifted
        taken = sifted.taken.filter(pc.invert(self.covers(sifted.taken)))
        refused = [row for row in sifted.refused if not self._is_mentioned_in(row)]
        return replace(sifted, taken=taken, refused=refused, erased=sifted.read - len(taken) - len(refused))

    def are_mentioned(self, raw: str) -> bool:
        """Whether any text or number of a row is the id of an erased client. Raises UnreadableRow."""
        return bool(self.cover(set(_texts(raw))))

    def _is_mentioned_in(self, row: RefusedRow) -> bool:
        try:
            return self.are_mentioned(row.raw)
        except UnreadableRow:
            # Nothing behind that is kept of it.
            return bool(self.cover(set(_tokens(row.raw[:MAX_ROW]))))


def _tokens(raw: str) -> Iterator[str]:
    """Every text and number of a text, as far as each is one."""
    for token in TOKEN.findall(raw):
        try:
            yield json.loads(token, strict=False) if token.startswith('"') else token
        except ValueError:
            yield token[1:-1]


def _texts(raw: str) -> Iterator[str]:
    """Every text and number that stands in a JSON text, at any depth, names of members included."""
    if len(raw) > MAX_ROW:
        # What is made of JSON may be twenty times as large as its text.
        raise UnreadableRow
    try:
        waiting: list[Any] = [json.loads(raw, strict=False, parse_int=str, parse_float=str, object_pairs_hook=list)]
    except (ValueError, RecursionError):
        raise UnreadableRow from None
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Sequence):
            waiting.extend(value)
