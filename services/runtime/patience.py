"""Work that takes long asks between its parts whether it is still worth doing."""

import time
from datetime import timedelta

import grpc

from services.runtime.errors import Cancelled, DeadlineExceeded

# Of a call whose caller set no deadline, or a later one.
MOST = timedelta(seconds=30)


class Patience:
    """Of one call in a thread server, from now on."""

    def __init__(self, context: grpc.ServicerContext, most: timedelta = MOST) -> None:
        self._context = context
        self._latest = time.monotonic() + most.total_seconds()
        self._most = most

    def check(self) -> None:
        """Raises Cancelled when the caller has gone or its deadline has passed, DeadlineExceeded beyond ours."""
        if not self._context.is_active():
            raise Cancelled("nobody waits for the answer any more")
        if time.monotonic() > self._latest:
            raise DeadlineExceeded(f"this took longer than {self._most.total_seconds():g} s; ask for less at once")
