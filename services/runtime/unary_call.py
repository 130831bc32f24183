"""One unary call of a thread server, from its headers to its end, straight on grpcio's core.

What grpcio's own server keeps of a call, a lock, closures, a state machine, costs more than the transport (ADR 0023).
Here a call is two batches of core's: its request comes; its answer leaves, together with the news that the caller has
it or has gone. Only work, which may take long, is watched for a caller that goes meanwhile.

`arrival.py` is the same for calls whose answers stream. Both name parts of grpcio that are not its public face.
"""

import time
from collections.abc import Callable
from contextvars import Context
from typing import Any, NamedTuple

import grpc
import structlog
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from services.runtime.call_context import Aborted, CallContext
from services.runtime.calls import BUG
from services.runtime.thread_interceptor import Wrapped

NO_FLAGS = 0
NO_REQUEST = grpc.StatusCode.UNIMPLEMENTED, "this method takes exactly one request"
UNREADABLE = grpc.StatusCode.INTERNAL, "the request is not the message that this method takes"

log = structlog.get_logger(__name__)


class UnaryMethod(NamedTuple):
    """A method as the interceptor made it, with how its messages are read and written."""

    call: Wrapped
    parse: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


class UnaryCall(CallContext):
    """A call under way; to its handler, the context.

    Core's events go to the polling thread, one after another; each handler of one tells whether the call is over, and
    what that depends on is changed there alone. Of `answer` and `end` one is called, from any thread; without it a
    call is never over, even when its caller has gone.
    """

    request: Any = None
    # Why it is ended where no request is there.
    problem = NO_REQUEST
    # The same to the pool.
    active = property(CallContext.is_active)
    _received: Callable[["UnaryCall"], None]
    _receiving = _watched = _closed = _left = False

    def __init__(self, event: Any, method: UnaryMethod) -> None:
        """`event`: core's, that tells of the headers."""
        super().__init__(event)
        self.call = method.call
        self.since = time.monotonic()
        self._method = method
        self._core = event.call

    def ask_for_request(self, received: Callable[["UnaryCall"], None]) -> None:
        """Has `received` called in the polling thread when the one request is in `request`, or None where none came.

        `received` must not raise: that would end the polling thread.
        """
        self._received = received
        self._receiving = True
        self._core.start_server_batch((cygrpc.ReceiveMessageOperation(NO_FLAGS),), self._receive)

    def watch(self) -> None:
        """From now on `active` tells when the caller goes; to be called in the polling thread."""
        self._watched = True
        self._core.start_server_batch((cygrpc.ReceiveCloseOnServerOperation(NO_FLAGS),), self._close)

    def answer(self, behaviour: Callable[[Any, Any], Any] | None = None) -> None:
        """Runs the method, or `behaviour` in its place, and sends what comes of it; a bug does not come out."""
        content = None
        try:
            response = Context().run(behaviour or self.call, self.request, self)
            content = self._method.encode(response)
        except Aborted:
            pass
        except BaseException:  # of SystemExit as well: its caller waits, and so does the end of the server
            log.exception("call failed by a bug")
            self._code, self._details = grpc.StatusCode.INTERNAL, BUG
        self._send(content)

    def end(self, code: grpc.StatusCode, details: str) -> None:
        """Ends a call that is not being answered."""
        self._code, self._details = code, details
        self._send(None)

    def _send(self, content: bytes | None) -> None:
        if self._ended:
            return  # the bug that ended it has left it in a queue
        self._ended = True
        try:
            self._start_leaving(content)
        except Exception:
            log.exception("status or answer cannot be sent")
            self._code, self._details, self._trailing = grpc.StatusCode.INTERNAL, BUG, None
            self._start_leaving(None)

    def _start_leaving(self, content: bytes | None) -> None:
        code: int = self._code.value[0]
        operations = [
            cygrpc.SendInitialMetadataOperation(None, NO_FLAGS),
            cygrpc.SendStatusFromServerOperation(self._trailing, code, self._details.encode(), NO_FLAGS),
        ]
        if content is not None:
            operations.append(cygrpc.SendMessageOperation(content, NO_FLAGS))
        if not self._watched:
            operations.append(cygrpc.ReceiveCloseOnServerOperation(NO_FLAGS))
        self._core.start_server_batch(operations, self._leave)

    def _receive(self, event: Any) -> bool:
        self._receiving = False
        content = event.batch_operations[0].message()
        try:
            self.request = None if content is None else self._method.parse(content)
        except Exception:  # noqa: BLE001 - whatever a reader of messages raises, the caller sent it
            self.problem = UNREADABLE
        self._received(self)
        return self._is_over()

    def _close(self, event: Any) -> bool:
        self._closed = True
        self._gone = event.batch_operations[0].cancelled()
        for callback in self._callbacks:
            try:
                callback()
            except Exception:
                log.exception("callback failed by a bug")
        return self._is_over()

    def _leave(self, _: Any) -> bool:
        self._left = True
        return self._is_over()

    def _is_over(self) -> bool:
        return self._left and not self._receiving and (self._closed or not self._watched)
