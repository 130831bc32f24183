"""What a call may raise: one class for each thing that a caller can do about it."""

from datetime import timedelta
from typing import Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

DETAILS_TRAILER = "grpc-status-details-bin"


class AfinError(Exception):
    """The service's message; `reason`, its constant for programs, and `field`, the wrong one, are empty without any."""

    def __init__(
        self,
        message: str,
        code: grpc.StatusCode,
        reason: str = "",
        field: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.field = field
        self.retry_after = retry_after


class InvalidRequest(AfinError):
    """A field of the request is wrong: change it."""


class NotFound(AfinError):
    """There is no such thing, e.g. no such company."""


class AccessDenied(AfinError):
    """The key or the certificate is missing, unknown or not enough."""


class Overloaded(AfinError):
    """The service has too much to do; come back after `retry_after`."""


class Unavailable(AfinError):
    """Nobody answers, or nobody who can; a later call may succeed."""


class TimedOut(AfinError):
    """No answer in time."""


class Closed(AfinError):
    """The client was closed, before the call or while it was under way: make another client."""

    def __init__(self) -> None:
        super().__init__("the client is closed", grpc.StatusCode.CANCELLED)


class FailedCall(Protocol):
    """What grpc.Call and grpc.aio.AioRpcError have in common."""

    def code(self) -> grpc.StatusCode:
        """The status."""

    def details(self) -> str | None:
        """The message."""

    def trailing_metadata(self) -> object:
        """Pairs of a name and a value."""


KINDS: dict[grpc.StatusCode, type[AfinError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    # We cancel nothing: a server that ends has dropped a call that it had not begun.
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOut,
}


def error_of(call: FailedCall) -> AfinError:
    """The error of a call that failed, with what its google.rpc.Status tells."""
    info, request, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in _status(call).details:
        for kind in (info, request, retry):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    field = request.field_violations[0].field if request.field_violations else ""
    retry_after = retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None
    code = call.code()
    return KINDS.get(code, AfinError)(call.details() or code.name, code, str(info.reason), field, retry_after)


def _status(call: FailedCall) -> status_pb2.Status:
    for name, value in call.trailing_metadata() or ():  # type: ignore[attr-defined] # types of the two kinds differ
        if name == DETAILS_TRAILER and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()
