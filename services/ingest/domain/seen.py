"""The rows that a pass saw lately, by fingerprint."""

from collections.abc import Sequence


class Seen:
    """Remembers the last `pages` pages at least, twice as many at most.

    In two sets, whatever the number of pages: a row costs two looks, and the older half is forgotten at once.
    """

    def __init__(self, fingerprints: Sequence[int], pages: int) -> None:
        self._most = pages
        self._latest = set(fingerprints)
        self._pages = 1
        self._older: set[int] = set()

    def __len__(self) -> int:
        """Fingerprints remembered; one may count twice."""
        return len(self._latest) + len(self._older)

    def unseen(self, fingerprints: Sequence[int]) -> set[int]:
        """Those of a page that are not remembered."""
        return set(fingerprints) - self._latest - self._older

    def add(self, fingerprints: Sequence[int]) -> None:
        """Remembers a page."""
        if self._pages == self._most:
            self._older, self._latest, self._pages = self._latest, set(), 0
        self._latest.update(fingerprints)
        self._pages += 1
