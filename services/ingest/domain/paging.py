"""Reads a set that moves while it is read, through `offset` and `limit`, and misses no row that stays.

The source orders by id; several rows may share one (a group), and their order among themselves is anybody's guess.
A group is *closed* once a page showed it followed by another one. The promise that every page keeps: all rows up to a
closed group were seen. So a page that holds a row of a closed group (an anchor) joins on to what was seen, whatever was
inserted or deleted since, and closes all of its groups but the last. Hence each page asks again for the last rows of
the one before, steps back where it finds no anchor, and the end is a joined page that brought nothing new, though it
was shorter than the source's pages can be, and behind which nothing more stands.

This asks that a page can hold a group and two more rows; groups longer than that are read as well as can be.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from services.ingest.domain.seen import Seen

# Rows asked again: as many deletions between two requests cost no stepping back.
OVERLAP_ROWS = 20
REMEMBERED_PAGES = 8
# What a mark keeps of the page before it. As many rows may vanish before a pass that goes on from it steps back.
MARKED_ROWS = 100
MAX_ANCHOR = 100
MAX_IDLE_REQUESTS = 100
# Looks behind the end at a source too busy to ever show nothing there.
VAIN_LOOKS = 2


class PageRequest(NamedTuple):
    """What to ask the source for."""

    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class PageIdentity:
    """What tells the rows of a page apart: one entry a row, in the order of the source.

    `groups`: what the source orders by, its id; several rows may share one. `fingerprints`: equal for equal readings
    of a row, in every process. `awaited`: the row was there when the pass began; rows that came to be later are kept
    but not waited for: without that, no pass over a busy source would end.
    """

    groups: Sequence[str]
    fingerprints: Sequence[int]
    awaited: Sequence[bool]

    def __len__(self) -> int:
        """Rows of the page."""
        return len(self.groups)


@dataclass(frozen=True, slots=True)
class PagerMark:
    """A place in a pass, small enough to be kept elsewhere, from which another pager goes on.

    `width`: the longest page; `last_group`: of the last row seen; `anchors`: groups up to which all was seen;
    `fingerprints`: of rows that will come again.
    """

    offset: int = 0
    width: int = 0
    last_group: str = ""
    anchors: tuple[str, ...] = ()
    fingerprints: tuple[int, ...] = ()


THE_START = PagerMark()


class PagingError(Exception):
    """The source cannot be read by pages; says why."""


class Pager:
    """A state machine: `next_request`, then `accept` with the answer, until there is no next request.

    Begun from a mark, it gives all that stands behind that, and some rows again where the anchors are gone meanwhile.
    """

    def __init__(self, limit: int, max_requests: int, mark: PagerMark = THE_START) -> None:
        self._limit = limit
        self._requests_left = max_requests
        self._begun_from = mark
        self._joined: PageIdentity | None = None
        self._offset: int | None = mark.offset
        self._resume = mark.offset
        self._looks_beyond = False
        self._may_be_cut = False
        self._vain_looks = 0
        self._stepped_back = 0
        self._idle = 0
        # The longest page so far: one shorter than that was not cut by the source.
        self._widest = mark.width
        self._last_group = mark.last_group
        self._closed: deque[set[str]] = deque([set(mark.anchors)], maxlen=REMEMBERED_PAGES)
        self._seen = Seen(mark.fingerprints, REMEMBERED_PAGES)

    def next_request(self) -> PageRequest | None:
        """The next page to ask for; None when all was read. PagingError when the source never comes to an end."""
        if self._offset is None:
            return None
        if self._requests_left == 0:
            raise PagingError("the source does not come to an end within the allowed number of requests")
        if self._idle >= MAX_IDLE_REQUESTS:
            raise PagingError(
                f"{self._idle} pages in a row brought nothing new and no end; "
                "the source ignores offset, or its pages are too short, or it changes faster than it can be read"
            )
        return PageRequest(self._offset, self._limit)

    def likely_requests(self, most: int) -> list[PageRequest]:
        """The next request and those that will follow it if pages stay as wide as they are, `most` in all.

        None where only an answer given from now on can tell: behind the end, and after the end.
        """
        if self._offset is None or self._looks_beyond:
            return []
        stride = self._widest - min(OVERLAP_ROWS, self._widest // 2)
        count = most if self._may_be_cut and not self._stepped_back else 1
        return [PageRequest(self._offset + page * stride, self._limit) for page in range(count)]

    def accept(self, page: PageIdentity) -> list[int]:
        """Takes the answer to the last request; which of its rows are new and to be kept, in order."""
        if self._offset is None:
            raise RuntimeError("the pass has ended")
        offset, self._requests_left = self._offset, self._requests_left - 1
        fresh = self._seen.unseen(page.groups, page.fingerprints)
        awaited = any(page.awaited[row] for row in fresh)
        self._widest = max(self._widest, len(page))
        self._idle += 1
        if self._reaches_end(offset, page, fresh, awaited=awaited):
            self._offset = None
            return []
        if not self._joins(offset, page):
            self._step_back(offset)
            return []
        self._advance(offset, page, fresh, awaited=awaited)
        return fresh

    def _reaches_end(self, offset: int, page: PageIdentity, fresh: Sequence[int], *, awaited: bool) -> bool:
        if not len(page):
            return offset == 0 or (self._looks_beyond and not self._may_be_cut)
        if awaited:
            self._vain_looks = 0
        elif self._looks_beyond and self._stands_behind_the_end(page, fresh):
            self._vain_looks += 1
        return self._vain_looks == VAIN_LOOKS

    def _stands_behind_the_end(self, page: PageIdentity, fresh: Sequence[int]) -> bool:
        """Whether insertions have pushed the last known row to here, or only later rows stand here."""
        if len(fresh) == len(page):
            return not self._may_be_cut
        return len(page) < self._widest and self._last_group in page.groups

    def _joins(self, offset: int, page: PageIdentity) -> bool:
        return offset == 0 or any(group in groups for group in page.groups for groups in self._closed)

    def _step_back(self, offset: int) -> None:
        if self._looks_beyond:
            self._looks_beyond, self._offset = False, self._resume
            return
        self._stepped_back = max(self._widest, 2 * self._stepped_back, 1)
        self._offset = max(0, offset - self._stepped_back)

    def _advance(self, offset: int, page: PageIdentity, fresh: Sequence[int], *, awaited: bool) -> None:
        overlap = self._close_groups(page.groups)
        self._seen.add(page.groups, page.fingerprints)
        self._stepped_back = 0
        self._idle = 0 if fresh else self._idle
        self._resume = offset + len(page) - overlap
        self._may_be_cut = len(page) == self._widest and overlap > 0
        self._looks_beyond = not awaited and not (self._may_be_cut and fresh)
        self._offset = offset + len(page) if self._looks_beyond else self._resume
        self._joined = page
        if any(page.fingerprints[row] == page.fingerprints[-1] for row in reversed(fresh)):
            self._last_group = page.groups[-1]

    @property
    def mark(self) -> PagerMark:
        """Where it stands after the last page, with groups that can be kept anywhere: ids are what the source makes."""
        page = self._joined
        if page is None:
            return self._begun_from
        closed = (group for group in reversed(page.groups) if group in self._closed[-1] and _is_plain(group))
        return PagerMark(
            offset=self._resume,
            width=self._widest,
            last_group=self._last_group if _is_plain(self._last_group) else "",
            anchors=tuple(islice(dict.fromkeys(closed), MARKED_ROWS)),
            fingerprints=tuple(page.fingerprints[-MARKED_ROWS:]),
        )

    def _close_groups(self, groups: Sequence[str]) -> int:
        """Remembers what the page closes; how many of its last rows to ask for again, an anchor among them."""
        size, last = len(groups), groups[-1]
        open_rows = next((count for count, group in enumerate(reversed(groups)) if group != last), size)
        overlap = min(OVERLAP_ROWS, size // 2)
        closed = set(groups)
        self._closed.append(closed)
        if open_rows + 1 < size:
            closed.discard(last)
            return max(overlap, open_rows + 1)
        # One group fills the page: taken for closed, or the pass would stand still.
        return overlap


def _is_plain(group: str) -> bool:
    return len(group) <= MAX_ANCHOR and group.isprintable()
