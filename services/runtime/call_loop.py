"""The thread of a thread server that polls the transport: takes up unary calls, leaves all else to grpcio's server.

It stands in the place of `grpc._server._serve`, and keeps that server's books of what is under way, so that its own
stop and drain go on working.
"""

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import structlog
from grpc import _server as inside
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from services.runtime.unary_call import UnaryCall, UnaryMethod

# As grpcio: so often it is looked whether anybody still holds the server, and for requests that do not come.
LOOK_SECONDS = 1.0
STARTED = inside._ServerStage.STARTED
TIMEOUT = cygrpc.CompletionType.queue_timeout

log = structlog.get_logger(__name__)


class CallLoop:
    """Of one server of grpcio's; `methods` by path are taken up here, and go to `take_up` with their headers.

    `sweep` is called about once a LOOK_SECONDS. All are called in the polling thread.
    """

    def __init__(
        self,
        server: Any,
        methods: dict[str, UnaryMethod],
        take_up: Callable[[UnaryCall], None],
        sweep: Callable[[], None],
    ) -> None:
        self._state = server._state
        self._methods = methods
        self._take_up = take_up
        self._sweep = sweep
        self._swept = 0.0

    def start(self) -> None:
        """What grpcio's server does at its start, with this thread for its own."""
        state = self._state
        with state.lock:
            state.server.start()
            state.stage = STARTED
            for path in state.registered_method_handlers:
                inside._request_registered_call(state, path)
            inside._request_call(state)
        Thread(target=self._poll, name="polling", daemon=True).start()

    def _poll(self) -> None:
        poll = self._state.completion_queue.poll
        goes_on = True
        while goes_on:
            now = time.time()
            event = poll(now + LOOK_SECONDS)
            try:
                goes_on = self._handle(event)
                self._look(now)
            except Exception:
                log.exception("event lost by a bug")  # one call, not the thread without which all would be
            event = None  # what it holds must go before the next is waited for

    def _look(self, now: float) -> None:
        if self._state.server_deallocated:
            inside._begin_shutdown_once(self._state)
        if abs(now - self._swept) >= LOOK_SECONDS:
            self._swept = now
            self._sweep()

    def _handle(self, event: Any) -> bool:
        """False when the server has stopped."""
        tag = event.tag
        call = getattr(tag, "__self__", None)
        if call.__class__ is UnaryCall:
            return not tag(event) or self._forget(call)
        method = self._methods.get(tag) if tag.__class__ is str else None
        if method:
            return self._begin(event, tag, method)
        return event.completion_type == TIMEOUT or bool(inside._process_event_and_continue(self._state, event))

    def _begin(self, event: Any, path: str, method: UnaryMethod) -> bool:
        """Takes the call up, if there is one, and asks core for the next of its method while it serves."""
        state = self._state
        call = UnaryCall(event, method) if event.success else None
        with state.lock:
            if call:
                state.rpc_states.add(call)
            if state.stage is STARTED:
                state.server.request_registered_call(state.completion_queue, state.completion_queue, path, path)
            else:
                state.due.remove(path)
                if inside._stop_serving(state):
                    return False
        if call:
            self._take_up(call)
        return True

    def _forget(self, call: UnaryCall) -> bool:
        state = self._state
        with state.lock:
            state.rpc_states.remove(call)
            return state.stage is STARTED or not inside._stop_serving(state)
