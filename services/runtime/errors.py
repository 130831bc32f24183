"""One tree of errors that a caller can act on; everything else is a bug: INTERNAL, without detail.

The interceptor translates them to google.rpc.Status (https://cloud.google.com/apis/design/errors).
"""

import random
from collections.abc import Mapping
from datetime import timedelta

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

ERROR_DOMAIN = "afin"
DETAILS_TRAILER = "grpc-status-details-bin"
# The reason of a refusal because the caller's leadership was over.
FENCED = "FENCED"


class ServiceError(Exception):
    """What is wrong, where, and what to do; `reason` is the constant that a program may test for."""

    code = grpc.StatusCode.UNKNOWN
    reason = "UNKNOWN"

    def __init__(self, message: str, *, reason: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or type(self).reason
        self.metadata = dict(metadata or {})

    def details(self) -> list[any_pb2.Any]:
        """The details of the google.rpc.Status, packed."""
        return [_pack(error_details_pb2.ErrorInfo(reason=self.reason, domain=ERROR_DOMAIN, metadata=self.metadata))]

    def to_status(self) -> status_pb2.Status:
        """The whole error as it travels in the trailer `grpc-status-details-bin`."""
        number = code_pb2.Code.Value(self.code.name)
        return status_pb2.Status(code=number, message=self.message, details=self.details())


class InvalidArgument(ServiceError):
    """A field of the request is wrong whatever the state of the system."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "INVALID_ARGUMENT"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}", metadata={"field": field})
        self.field = field
        self.problem = problem

    def details(self) -> list[any_pb2.Any]:
        """ErrorInfo, and BadRequest naming the field."""
        violation = error_details_pb2.BadRequest.FieldViolation(field=self.field, description=self.problem)
        return [*super().details(), _pack(error_details_pb2.BadRequest(field_violations=[violation]))]


class NotFound(ServiceError):
    """The thing named in the request does not exist."""

    code = grpc.StatusCode.NOT_FOUND
    reason = "NOT_FOUND"


class AlreadyExists(ServiceError):
    """An id is taken by something else."""

    code = grpc.StatusCode.ALREADY_EXISTS
    reason = "ALREADY_EXISTS"


class FailedPrecondition(ServiceError):
    """Something else must be done first; the message says what."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    reason = "FAILED_PRECONDITION"


class Unavailable(ServiceError):
    """A dependency does not answer now; the same call may succeed later."""

    code = grpc.StatusCode.UNAVAILABLE
    reason = "UNAVAILABLE"


class ResourceExhausted(ServiceError):
    """More is asked for than may wait; after `retry_after` the same call may find room."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = "RESOURCE_EXHAUSTED"

    def __init__(self, message: str, retry_after: timedelta, *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after

    def details(self) -> list[any_pb2.Any]:
        """ErrorInfo, and RetryInfo."""
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromTimedelta(self.retry_after)
        return [*super().details(), _pack(info)]


class DeadlineExceeded(ServiceError):
    """The work takes longer than it may; the same call would not end sooner."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"


class Cancelled(ServiceError):
    """The caller has gone: what is done for it ends."""

    code = grpc.StatusCode.CANCELLED
    reason = "CANCELLED"


class DataLoss(ServiceError):
    """Stored bytes are not what was stored: a checksum disagrees."""

    code = grpc.StatusCode.DATA_LOSS
    reason = "DATA_LOSS"


class Unauthenticated(ServiceError):
    """Nobody knows who calls: no key, or one that is not valid."""

    code = grpc.StatusCode.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class PermissionDenied(ServiceError):
    """The caller is known, and may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED
    reason = "PERMISSION_DENIED"


OVERLOADED = "OVERLOADED"


def overloaded() -> ResourceExhausted:
    """What a server answers beyond its limits. The times to wait differ, so that callers do not come back as one."""
    retry_after = timedelta(milliseconds=random.randint(500, 1500))  # noqa: S311 - no secret
    return ResourceExhausted("too many calls at once; try again later", retry_after, reason=OVERLOADED)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The constant reason of an error that another service of ours answered; empty where there is none."""
    info = error_details_pb2.ErrorInfo()
    for name, value in error.trailing_metadata() or ():
        if name == DETAILS_TRAILER and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
    return str(info.reason)


def _pack(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
