"""The rows that a pass saw lately, by fingerprint."""

from collections import deque
from collections.abc import Iterable, Sequence


class Seen:
    """Remembers the last pages, `pages` in number.

    Most rows of a page stand higher than all that is remembered, however the source orders: these are not looked up.
    """

    def __init__(self, fingerprints: Sequence[int], pages: int) -> None:
        # Fingerprints of each page with its highest group; None where groups are not known.
        start = None if fingerprints else ""
        self._pages: deque[tuple[str | None, set[int]]] = deque([(start, set(fingerprints))], maxlen=pages)

    def __len__(self) -> int:
        """Fingerprints remembered; one may count more than once."""
        return sum(len(known) for _, known in self._pages)

    def unseen(self, groups: Sequence[str], fingerprints: Sequence[int]) -> list[int]:
        """Which rows of a page are not remembered, in order; of equal ones the first. Equal rows are of one group."""
        known = {row for row in self._perhaps_seen(groups) if self._remembers(fingerprints[row])}
        rows = [row for row in range(len(groups)) if row not in known]
        if len(set(fingerprints)) == len(fingerprints):
            return rows
        return sorted({fingerprints[row]: row for row in reversed(rows)}.values())

    def add(self, groups: Sequence[str], fingerprints: Sequence[int]) -> None:
        """Remembers a page."""
        self._pages.append((max(groups, default=""), set(fingerprints)))

    def _perhaps_seen(self, groups: Sequence[str]) -> Iterable[int]:
        tops = [top for top, _ in self._pages if top is not None]
        if len(tops) < len(self._pages):
            return range(len(groups))
        highest = max(tops)
        return [row for row, group in enumerate(groups) if group <= highest]

    def _remembers(self, fingerprint: int) -> bool:
        return any(fingerprint in known for _, known in reversed(self._pages))
