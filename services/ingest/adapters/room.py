"""How much may be worked on at once, by size: small things side by side, a large one alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Room:
    """For threads. What is larger than the room gets all of it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._changed = Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Waits until there is room for so much, and holds it."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken == 0 or self._taken + size <= self._size)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()
