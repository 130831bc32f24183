"""The health service of a thread server: Check is a look into a dict, a Watch holds a little memory until it ends.

(That of grpcio-health-checking holds a thread for each watcher, and keeps its watchers when the server drains.)
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.runtime.health import UNTOLD, Statuses, too_many_watches

Answer = health_pb2.HealthCheckResponse

log = structlog.get_logger(__name__)


class Answers(Protocol):
    """The answers of one call, sent without waiting; see services.runtime.arrival."""

    def send(self, message: bytes, sent: Callable[[], None]) -> bool:
        """One at a time: the next after `sent` was called. False when the call is over, and then it is not."""

    def finish(self) -> None:
        """Ends the call well."""

    def end(self, code: grpc.StatusCode, details: str) -> None:
        """Ends the call."""

    def when_over(self, callback: Callable[[], None]) -> bool:
        """Has it called when the call is over, however; False when it is already."""


class _Watcher:
    __slots__ = ("answers", "sending", "service", "told")

    def __init__(self, service: str, answers: Answers) -> None:
        self.service = service
        self.answers = answers
        self.told = UNTOLD
        self.sending = False


class ThreadHealth(health_pb2_grpc.HealthServicer):
    """See https://github.com/grpc/grpc/blob/master/doc/health-checking.md. `most`: watches at once, of all callers."""

    def __init__(self, most: int) -> None:
        self._statuses = Statuses()
        self._most = most
        self._watchers: set[_Watcher] = set()
        # Whoever holds it may take that of a call, and nobody the other way round.
        self._lock = threading.Lock()

    @property
    def watches(self) -> int:
        """How many there are."""
        return len(self._watchers)

    async def set(self, service: str, status: int) -> None:
        """What is told of a service from now on."""
        with self._lock:
            if self._statuses.set(service, status):
                self._tell_all()

    async def leave(self) -> None:
        """Tells NOT_SERVING of every service, for good."""
        with self._lock:
            self._statuses.leave()
            self._tell_all()

    async def end_watches(self) -> None:
        """Those there are, and those that come, when they have been told."""
        with self._lock:
            self._statuses.over = True
            self._tell_all()

    def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> Answer:  # noqa: N802
        """See the proto."""
        status = self._statuses.known(request.service)
        if status is None:
            context.set_code(grpc.StatusCode.NOT_FOUND)
            return Answer()
        return Answer(status=status)

    def Watch(self, request: health_pb2.HealthCheckRequest, answers: Answers) -> None:  # noqa: N802
        """See the proto. Called with the call's answers, and returns at once."""
        watcher = _Watcher(request.service, answers)
        with self._lock:
            if len(self._watchers) >= self._most:
                answers.end(*too_many_watches())
            elif answers.when_over(partial(self._forget, watcher)):
                self._watchers.add(watcher)
                self._tell(watcher)

    def _tell_all(self) -> None:
        for watcher in list(self._watchers):
            self._tell(watcher)

    def _tell(self, watcher: _Watcher) -> None:
        """What it has not been told; of a reader that takes nothing, the newest when it does."""
        if watcher.sending:
            return
        status = self._statuses.watched(watcher.service)
        if status != watcher.told:
            watcher.told = status
            message = Answer(status=status).SerializeToString()
            watcher.sending = watcher.answers.send(message, partial(self._sent, watcher))
        elif self._statuses.over:
            self._watchers.discard(watcher)
            watcher.answers.finish()

    def _sent(self, watcher: _Watcher) -> None:
        try:
            with self._lock:
                watcher.sending = False
                if watcher in self._watchers:
                    self._tell(watcher)
        except Exception:
            log.exception("watch of health lost by a bug")

    def _forget(self, watcher: _Watcher) -> None:
        with self._lock:
            self._watchers.discard(watcher)
