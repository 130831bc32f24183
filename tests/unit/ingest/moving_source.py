"""A source that changes while it is read, and a pass over it that keeps book of what it was given."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.ingest.domain.paging import PageIdentity, Pager, PageRequest
from services.ingest.domain.rows import PAYMENT_FIELDS, SourceRow, source_row

Key = tuple[int, int]
MAX_REQUESTS = 150
KINDS = ("insert", "insert_first", "append", "update", "delete", "delete_first")


@dataclass(frozen=True)
class Situation:
    """What a pass may meet.

    `codes`: rows that may share an id; `room`: rows a page holds beyond those; `ids`: different ones at the start;
    `asked`: the limit, in pages; `changes`: kind and number, made after each answer, in turn.
    """

    seed: int
    codes: int
    room: int
    ids: int
    rows: int
    asked: int
    changes: list[tuple[str, int]]


@dataclass
class MovingSource:
    """Rows by (id, code), each with the moment it was last changed. Rows of one id come in any order, as SQL allows.

    `cap`: rows that an answer holds at most, whatever is asked for; `codes`: rows that may share an id; `ids`: how many
    different ones there are at the start.
    """

    chance: random.Random
    cap: int
    codes: int
    ids: int
    rows: dict[Key, int] = field(default_factory=dict)
    touched: set[Key] = field(default_factory=set)
    clock: int = 0

    def change(self, kind: str, count: int) -> None:
        """So many changes of a kind; see KINDS."""
        for _ in range(count):
            getattr(self, f"_{kind}")()

    def _insert(self) -> None:
        self._put((self.chance.randrange(self.ids), self.chance.randrange(self.codes)))

    def _insert_first(self) -> None:
        self._put((min((key[0] for key in self.rows), default=0) - 1, 0))

    def _append(self) -> None:
        self._put((max((key[0] for key in self.rows), default=0) + 1, 0))

    def _update(self) -> None:
        if self.rows:
            self._put(self.chance.choice(sorted(self.rows)))

    def _delete(self) -> None:
        if self.rows:
            self._remove(self.chance.choice(sorted(self.rows)))

    def _delete_first(self) -> None:
        if self.rows:
            self._remove(min(self.rows))

    def answer(self, request: PageRequest) -> list[SourceRow]:
        """A page, as the set stands at this moment."""
        order = sorted(self.rows, key=lambda key: (key[0], self.chance.random()))
        size = min(request.limit, self.cap)
        return [self._row(key) for key in order[request.offset : request.offset + size]]

    def _remove(self, key: Key) -> None:
        self.touched.add(key)
        del self.rows[key]

    def _put(self, key: Key) -> None:
        self.clock += 1
        self.touched.add(key)
        self.rows[key] = self.clock

    def _row(self, key: Key) -> SourceRow:
        fields: dict[str, Any] = {"id": key[0], "company_code": key[1], "updated_at": self.rows[key]}
        return source_row(fields, "", PAYMENT_FIELDS)


def identity(rows: Sequence[SourceRow], is_awaited: Callable[[SourceRow], bool]) -> PageIdentity:
    """What the pager sees of a page."""
    groups, fingerprints = [row.group for row in rows], [row.fingerprint for row in rows]
    return PageIdentity(groups, fingerprints, [is_awaited(row) for row in rows])


def filled(situation: Situation) -> MovingSource:
    """The source before anybody reads it. A page can hold all rows of one id and two more."""
    chance = random.Random(situation.seed)  # noqa: S311 - no secret
    source = MovingSource(chance, situation.codes + situation.room, situation.codes, situation.ids)
    source.change("insert", situation.rows)
    source.touched.clear()
    return source


def read(source: MovingSource, situation: Situation) -> set[Key]:
    """Rows that a pass was given, while the source changed. PagingError when it changed too fast to be read."""
    start, pager, given, answers = source.clock, Pager(source.cap * situation.asked, MAX_REQUESTS), set[Key](), 0
    while (request := pager.next_request()) is not None:
        page = source.answer(request)
        fresh = pager.accept(identity(page, lambda row: row.fields["updated_at"] <= start))
        given |= {(page[row].fields["id"], page[row].fields["company_code"]) for row in fresh}
        source.change(*situation.changes[answers % len(situation.changes)])
        answers += 1
    return given
