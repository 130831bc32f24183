"""Where the calls of a thread server run. Unary ones come from `CallLoop`; `grpc.server` takes a CallPool for its pool.

grpcio's own way puts a call into a thread first, which then waits for the request: as many streams without one as there
are threads stop the server, and each call changes threads twice. Here the request is asked for at once, in the thread
that polls the transport, and what comes next happens when it is there:

    a quick call    runs in the polling thread: no change of threads, a third more calls than with a pool (ADR 0023)
    work            waits its turn for one of a few threads; too many, or too much in front of it, and it is refused
    a waiting call  gets a thread of its own as long as there are some, else it is refused
    a watch         of health is handed the means to answer, and holds memory alone

So a refusal never waits, nor does the health service's Check, which is a quick call.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import grpc
import structlog

from services.runtime.arrival import Arrival
from services.runtime.calls import BUG, SHED
from services.runtime.errors import overloaded
from services.runtime.lanes import Lane, work_lane
from services.runtime.thread_interceptor import Behaviour
from services.runtime.unary_call import UnaryCall
from services.runtime.usual import UsualTime

AnyCall = Arrival | UnaryCall

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much may run and wait at once."""

    # Few: each more makes the polling thread wait longer for its turn, and all do no more together (ADR 0023).
    threads: int = 2
    # Running and in the queue.
    work: int = 256
    # What would wait longer, by the time that work took lately, is refused at once; what did all the same, then.
    queue: timedelta = timedelta(milliseconds=500)
    waiting: int = 32
    # Calls whose request has not come yet, and how long it may take. They hold memory only, and no thread.
    requests: int = 256
    request: timedelta = timedelta(seconds=10)


class CallPool:
    """Takes calls as grpcio's server submits them; `close` when the server has stopped."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._work = 0
        self._usual = UsualTime(limits.threads)
        self._waiting = 0
        # Without their requests, eldest first; of the polling thread alone.
        self._incomplete: dict[int, AnyCall] = {}
        self._work_threads = ThreadPoolExecutor(limits.threads, "work")
        self._waiting_threads = ThreadPoolExecutor(limits.waiting, "waiting")

    def submit(self, *handed: Any) -> None:
        """What grpcio calls for each of its calls, in the polling thread and holding its locks."""
        arrival = Arrival(handed)
        if arrival.call.streams_requests:
            self._take_waiting(arrival)
        elif arrival.active:
            self.take_up(arrival)

    def take_up(self, arrival: AnyCall) -> None:
        """A call whose headers have come; in the polling thread. What is work in any case is not read to be refused."""
        if arrival.call.lane is work_lane and not self._has_room():
            _refuse(arrival)
            return
        self._incomplete[id(arrival)] = arrival
        arrival.ask_for_request(self._received)
        if len(self._incomplete) > self._limits.requests:
            self._end_incomplete(next(iter(self._incomplete.values())))

    def sweep(self) -> None:
        """Ends the calls whose request takes too long; to be called now and then in the polling thread."""
        latest = time.monotonic() - self._limits.request.total_seconds()
        for arrival in list(self._incomplete.values()):
            if arrival.since < latest:
                self._end_incomplete(arrival)

    def close(self, patience: timedelta = timedelta(seconds=2)) -> None:
        """Lets go of the threads, after waiting a little for handlers to see that their calls have ended."""
        with self._changed:
            self._changed.wait_for(lambda: not self._work and not self._waiting, patience.total_seconds())
        self._work_threads.shutdown(wait=False, cancel_futures=True)
        self._waiting_threads.shutdown(wait=False, cancel_futures=True)

    def _received(self, arrival: AnyCall) -> None:
        if self._incomplete.pop(id(arrival), None) is None:
            return  # it was ended meanwhile
        try:
            self._take(arrival)
        except Exception:
            log.exception("call lost by a bug")
            if arrival.active:
                arrival.end(grpc.StatusCode.INTERNAL, BUG)

    def _take(self, arrival: AnyCall) -> None:
        if not arrival.active or arrival.request is None:
            arrival.end(*arrival.problem)
            return
        lane = arrival.call.lane(arrival.request)
        if lane is Lane.QUICK:
            arrival.answer()
        elif lane is Lane.WAITING:
            self._take_waiting(arrival)
        elif lane is Lane.EVENTS:
            arrival.call(arrival.request, arrival)
        else:
            self._take_work(arrival)

    def _take_work(self, arrival: AnyCall) -> None:
        with self._changed:
            room = self._has_room()
            self._work += room
        if room:
            arrival.watch()
            self._work_threads.submit(self._do_work, arrival, time.monotonic())
        else:
            _refuse(arrival)

    def _has_room(self) -> bool:
        wait = max(0, self._work - self._limits.threads + 1) * self._usual.seconds / self._limits.threads
        return self._work < self._limits.work and wait <= self._limits.queue.total_seconds()

    def _do_work(self, arrival: AnyCall, since: float) -> None:
        began = time.monotonic()
        if not arrival.active:
            self._leave_work()
            SHED.labels("gone").inc()
            arrival.end(grpc.StatusCode.CANCELLED, "nobody waits for the answer any more")
        elif began - since > 2 * self._limits.queue.total_seconds():
            self._leave_work()
            _refuse(arrival)
        else:
            arrival.answer(partial(self._work_on, arrival.call, began))

    def _work_on(self, call: Behaviour, began: float, request: Any, context: Any) -> Any:
        """There is room again before the answer leaves: whoever has it may come again at once."""
        try:
            return call(request, context)
        finally:
            self._leave_work(time.monotonic() - began)

    def _leave_work(self, worked: float | None = None) -> None:
        with self._changed:
            if worked is not None:
                self._usual.add(worked)
            self._work -= 1
            self._changed.notify_all()

    def _take_waiting(self, arrival: AnyCall) -> None:
        with self._changed:
            room = self._waiting < self._limits.waiting
            self._waiting += room
        if room:
            arrival.watch()
            self._waiting_threads.submit(self._do_waiting, arrival)
        else:
            _refuse(arrival)

    def _do_waiting(self, arrival: AnyCall) -> None:
        try:
            arrival.answer()
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    def _end_incomplete(self, arrival: AnyCall) -> None:
        if self._incomplete.pop(id(arrival), None):
            SHED.labels("no request").inc()
            arrival.end(grpc.StatusCode.DEADLINE_EXCEEDED, "the request did not come in time")


def _refuse(arrival: AnyCall) -> None:
    SHED.labels("refused").inc()
    arrival.answer(arrival.call.refused(overloaded()))
