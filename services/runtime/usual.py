"""How long the next work is likely to take."""

from collections import deque

LATELY = 16


class UsualTime:
    """The mean of the last times but the `left_out` longest, in seconds; 0 while there are no others.

    A process that stands still for a moment makes the work of each of its threads look long, once. By a plain mean the
    calls of that moment would be refused, which are done at once when it goes on.
    """

    def __init__(self, left_out: int) -> None:
        self.seconds = 0.0
        self._left_out = left_out
        self._lately: deque[float] = deque(maxlen=LATELY)

    def add(self, seconds: float) -> None:
        """What work just took."""
        self._lately.append(seconds)
        counted = sorted(self._lately)[: max(0, len(self._lately) - self._left_out)]
        self.seconds = sum(counted) / len(counted) if counted else 0.0
