"""What the handler of a unary call is told by its context, and may tell; see grpc.ServicerContext."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined]

Metadata = Sequence[tuple[str, str | bytes]]


class Aborted(Exception):
    """Raised by `abort`."""


class CallContext(grpc.ServicerContext):
    """Of one call. Its status is sent with the answer, its initial metadata are empty, it is not compressed."""

    # As most calls keep it: what a call does not change costs it nothing.
    _code = grpc.StatusCode.OK
    _details = ""
    _trailing: Metadata | None = None
    _callbacks: tuple[Callable[[], None], ...] = ()
    _gone = _ended = False

    def __init__(self, event: Any) -> None:
        """`event`: core's, that tells of the headers."""
        self._event = event

    def is_active(self) -> bool:
        """False when it was answered, and of work also when the caller has gone or its deadline has passed."""
        return not self._gone and not self._ended

    def time_remaining(self) -> float:
        """Seconds until the deadline."""
        return max(float(self._event.call_details.deadline) - time.time(), 0.0)

    def cancel(self) -> bool:
        """Ends the call for its caller."""
        self._event.call.cancel()
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Has `callback` called when the caller of work goes."""
        self._callbacks += (callback,)
        return not self._gone

    def invocation_metadata(self) -> Any:
        """What the caller sent with the headers."""
        return self._event.invocation_metadata

    def peer(self) -> str:
        """The caller's address."""
        return str(self._event.call.peer().decode())

    def peer_identities(self) -> Any:
        """Of the caller's certificate."""
        return cygrpc.peer_identities(self._event.call)

    def peer_identity_key(self) -> str | None:
        """Under which auth_context has those."""
        key = cygrpc.peer_identity_key(self._event.call)
        return None if key is None else key.decode()

    def auth_context(self) -> Mapping[str, Any]:
        """What TLS tells of the caller."""
        found = cygrpc.auth_context(self._event.call) or {}
        return {key.decode(): values for key, values in found.items()}

    def send_initial_metadata(self, initial_metadata: object) -> NoReturn:
        """Not here: an answer leaves whole."""
        raise NotImplementedError("a unary call of a thread server sends no initial metadata")

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """What is sent with the status."""
        self._trailing = trailing_metadata

    def trailing_metadata(self) -> Any:
        """As it was set."""
        return self._trailing

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Ends the handler, and the call with this status."""
        self._code, self._details = code, details
        raise Aborted

    def abort_with_status(self, status: Any) -> NoReturn:
        """The same with its trailing metadata."""
        self._trailing = status.trailing_metadata
        self.abort(status.code, status.details)

    def set_code(self, code: Any) -> None:
        """Of the status."""
        self._code = code

    def code(self) -> grpc.StatusCode:
        """As it was set."""
        return self._code

    def set_details(self, details: str) -> None:
        """Of the status."""
        self._details = details

    def details(self) -> str:
        """As they were set."""
        return self._details
