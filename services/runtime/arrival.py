"""A call whose answers stream as grpcio's server hands it to its pool, and the few things that are done with it.

This and `call_loop.py` name functions of grpcio that are not its public face, see `insides.py`; `unary_call.py` is the
same for the other calls.
"""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import grpc
from grpc import _server as inside
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from services.runtime.thread_interceptor import Wrapped
from services.runtime.unary_call import NO_REQUEST

TAKEN_UP_AT_STOP = 300


class _Due:
    """What grpcio's server waits for. Its own is a set; here the same may be waited for several times."""

    def __init__(self, items: Iterable[Hashable]) -> None:
        self._counts = Counter(items)

    def add(self, item: Hashable) -> None:
        self._counts[item] += 1

    def remove(self, item: Hashable) -> None:
        self._counts[item] -= 1
        if not self._counts[item]:
            del self._counts[item]

    def __len__(self) -> int:
        return len(self._counts)


def take_up_all(server: Any) -> None:
    """To be called right before the server is stopped.

    Core cancels the calls that nobody has taken up when the server stops, which no client repeats; grpcio takes up one
    of a method at a time. So all that are there are taken up now, and as many as may come until the stop.
    """
    state = server._state
    with state.lock:
        state.due = _Due(state.due)
    for _ in range(TAKEN_UP_AT_STOP):
        with state.lock:  # a round at a time: the polling thread needs it for each call
            inside._request_call(state)
            for method in state.registered_method_handlers:
                inside._request_registered_call(state, method)


class Arrival:
    """`call` is the method as ThreadInterceptor made it; `since` the moment (monotonic) when the headers were here."""

    __slots__ = ("_codecs", "_enter", "_event", "_in_pool", "_state", "_thunk", "call", "request", "since")

    # Why it is ended where no request is there.
    problem = NO_REQUEST

    def __init__(self, handed: tuple[Any, ...]) -> None:
        """`handed`: what grpcio submits, the run of a contextvars.Context with its function and arguments."""
        self._enter, self._in_pool, self._event, self._state, call, self._thunk, *self._codecs = handed
        self.call: Wrapped = call
        self.request: Any = None
        self.since = time.monotonic()

    @property
    def active(self) -> bool:
        """False when the caller has gone, its deadline has passed, or it was answered."""
        return bool(inside._is_rpc_state_active(self._state))

    def ask_for_request(self, received: Callable[["Arrival"], None]) -> None:
        """Has `received` called in the polling thread when the one request is in `request`, or None where none came.

        `received` must not raise: that would end the polling thread.
        """
        state = self._state
        receive = inside._receive_message(state, self._event.call, self._codecs[0])

        def receive_and_tell(event: Any) -> Any:
            outcome = receive(event)
            self.request, state.request = state.request, None
            received(self)
            return outcome

        self._event.call.start_server_batch((cygrpc.ReceiveMessageOperation(0),), receive_and_tell)
        state.due.add(inside._RECEIVE_MESSAGE_TOKEN)

    def watch(self) -> None:
        """As for a UnaryCall; grpcio does so from the headers on."""

    def answer(self, behaviour: Callable[[Any, Any], Any] | None = None) -> None:
        """Runs the method, or `behaviour` in its place, and sends what comes of it; a bug does not come out.

        A method that streams waits for its reader in here; one that streams requests gets their iterator.
        """
        thunk = self._thunk if self.call.streams_requests else self._request
        self._enter(self._in_pool, self._event, self._state, behaviour or self.call, thunk, *self._codecs)

    def send(self, message: bytes, sent: Callable[[], None]) -> bool:
        """Sends one of several answers, and has `sent` called in the polling thread when the next may be sent.

        False, and nothing is called, when the call is over. grpcio's own way waits in a thread for as long as the
        reader takes nothing. `sent` must not raise: that would end the polling thread.
        """
        state = self._state
        with state.condition:
            if not self.active:
                return False
            operations: tuple[Any, ...] = (cygrpc.SendMessageOperation(message, 0),)
            token = inside._SEND_MESSAGE_TOKEN
            if state.initial_metadata_allowed:
                operations = (inside._get_initial_metadata_operation(state, None), *operations)
                token = inside._SEND_INITIAL_METADATA_AND_SEND_MESSAGE_TOKEN
                state.initial_metadata_allowed = False
            note = inside._send_message(state, token)

            def note_and_tell(event: Any) -> Any:
                outcome = note(event)
                sent()
                return outcome

            self._event.call.start_server_batch(operations, note_and_tell)
            state.due.add(token)
        return True

    def finish(self) -> None:
        """Ends well a call whose answers were sent by `send`."""
        with self._state.condition:
            if self.active:
                inside._status(self._event, self._state, None)

    def when_over(self, callback: Callable[[], None]) -> bool:
        """Has it called in the polling thread when the call is over, however; False when it is already."""
        with self._state.condition:
            if self._state.callbacks is None:
                return False
            self._state.callbacks.append(callback)
        return True

    def end(self, code: grpc.StatusCode, details: str) -> None:
        """Ends a call that is not being answered."""
        with self._state.condition:
            if self.active:
                self._state.code = code
                inside._abort(self._state, self._event.call, cygrpc.StatusCode.unknown, details.encode())

    def _request(self) -> Any:
        return self.request
