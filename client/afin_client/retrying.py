"""When a call is tried again: while there is time, with growing pauses. All that the client calls may be repeated.

UNAVAILABLE (and CANCELLED, see errors.py): again until the deadline, each time with the next server that is connected.
RESOURCE_EXHAUSTED: after the pause that the service names, while the budget lasts: callers must not make more of
what is too much already.
"""

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from afin_client.errors import AfinError, Overloaded, Unavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.5  # seconds, doubled from try to try
# Tries after an overload: ten at once, and one more for each ten calls that succeeded.
MOST_TOKENS, TOKENS_A_SUCCESS = 10.0, 0.1
Seconds = Callable[[], float]


class Budget:
    """Tries that may still be spent on an overloaded service; shared by the calls of a client."""

    def __init__(self) -> None:
        self._tokens = MOST_TOKENS
        self._lock = threading.Lock()

    def take(self) -> bool:
        """False when none is left."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def give(self) -> None:
        """A call has succeeded."""
        with self._lock:
            self._tokens = min(MOST_TOKENS, self._tokens + TOKENS_A_SUCCESS)


class Attempts:
    """The tries of one call, all within one deadline."""

    def __init__(
        self, timeout: timedelta, budget: Budget, clock: Seconds = time.monotonic, chance: Seconds = random.random
    ) -> None:
        self._budget = budget
        self._clock = clock
        self._chance = chance
        self._end = clock() + timeout.total_seconds()
        self._pause = FIRST_PAUSE

    def time_left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._end - self._clock())

    def pause_after(self, error: AfinError) -> float:
        """Seconds until the next try; raises the error where there is none."""
        pause = self._wanted_pause(error)
        if pause >= self.time_left():
            raise error
        if isinstance(error, Overloaded) and not self._budget.take():
            raise error
        return pause

    def succeeded(self) -> None:
        """The call has its answer."""
        self._budget.give()

    def _wanted_pause(self, error: AfinError) -> float:
        if not isinstance(error, Unavailable | Overloaded):
            raise error
        pause = self._pause * (0.5 + 0.5 * self._chance())
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return pause if error.retry_after is None else max(pause, error.retry_after.total_seconds())
