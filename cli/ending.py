"""How a command ends when it does not end well: an exit code, and one line that says what to do.

0 done, 1 failed, 2 wrong use, 3 no such thing, 4 not allowed, 5 not as things stand, 6 no answer now, 130 stopped.
"""

from collections.abc import Callable, Mapping

import grpc
from google.protobuf.any_pb2 import Any as AnyDetail
from google.rpc import error_details_pb2, status_pb2

from services.runtime.errors import DETAILS_TRAILER

FAILED = 1
WRONG_USE = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
NOT_NOW = 5
NO_ANSWER = 6
INTERRUPTED = 130
# For --help and the reference.
EXIT_CODES: Mapping[int, str] = {
    0: "done",
    FAILED: "failed: a run, a check, or the service itself",
    WRONG_USE: "wrong use: an option, an argument, or a profile",
    NOT_FOUND: "no such run, client, company or version",
    NOT_ALLOWED: "no key, or one whose role may not do this",
    NOT_NOW: "refused as things stand; the message says what must come first",
    NO_ANSWER: "no answer now: the service is away or busy; try again",
    INTERRUPTED: "stopped by Ctrl-C",
}

Code = grpc.StatusCode
Teller = Callable[[grpc.aio.AioRpcError, str, str], str]
_CODES = {
    Code.INVALID_ARGUMENT: WRONG_USE,
    Code.OUT_OF_RANGE: WRONG_USE,
    Code.NOT_FOUND: NOT_FOUND,
    Code.UNAUTHENTICATED: NOT_ALLOWED,
    Code.PERMISSION_DENIED: NOT_ALLOWED,
    Code.FAILED_PRECONDITION: NOT_NOW,
    Code.ALREADY_EXISTS: NOT_NOW,
    Code.ABORTED: NOT_NOW,
    Code.UNAVAILABLE: NO_ANSWER,
    Code.CANCELLED: NO_ANSWER,
    Code.DEADLINE_EXCEEDED: NO_ANSWER,
    Code.RESOURCE_EXHAUSTED: NO_ANSWER,
}


class Failed(Exception):
    """The command fails; the message is the line that says why, and what to do."""

    exit_code = FAILED

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = self.exit_code if exit_code is None else exit_code


class WrongUse(Failed):
    """What was asked for cannot be meant."""

    exit_code = WRONG_USE


def ending_of(error: grpc.aio.AioRpcError, service: str, address: str, lists: str = "") -> Failed:
    """The end that an error of a call makes. `lists`: the command that shows what there is to name."""
    code = error.code()
    said = " ".join((error.details() or "").split())
    line = _LINES.get(code, _plainly)(error, said or code.name, f"{service} at {address}")
    if code is Code.NOT_FOUND and lists and "afin " not in line:
        line = f"{line}; `{lists}` tells what there is"
    return Failed(line, _CODES.get(code, FAILED))


def _plainly(_: grpc.aio.AioRpcError, said: str, __: str) -> str:
    return said


def _away(error: grpc.aio.AioRpcError, said: str, place: str) -> str:
    if _has_details(error):
        return said
    return f"{place} does not answer; `afin doctor` tells why, --profile or --address names another place"


def _slow(_: grpc.aio.AioRpcError, __: str, place: str) -> str:
    return f"{place} took too long; try again, or look with `afin doctor`"


def _full(error: grpc.aio.AioRpcError, said: str, _: str) -> str:
    retry = error_details_pb2.RetryInfo()
    for detail in _details(error):
        if detail.Unpack(retry):
            return f"{said} (in {retry.retry_delay.ToTimedelta().total_seconds():.1f} s)"
    return said


def _unknown_caller(_: grpc.aio.AioRpcError, said: str, __: str) -> str:
    return f"{said}; name the file of your key: --key-file, or api_key_file of a profile"


def _broken(_: grpc.aio.AioRpcError, said: str, place: str) -> str:
    return f"{place} failed ({said}); its log tells why"


_LINES: Mapping[grpc.StatusCode, Teller] = {
    Code.UNAVAILABLE: _away,
    Code.CANCELLED: _away,
    Code.DEADLINE_EXCEEDED: _slow,
    Code.RESOURCE_EXHAUSTED: _full,
    Code.UNAUTHENTICATED: _unknown_caller,
    Code.INTERNAL: _broken,
    Code.UNKNOWN: _broken,
    Code.UNIMPLEMENTED: lambda _, __, place: (
        f"{place} does not know this call: it is of another version than this afin"
    ),
}


def _has_details(error: grpc.aio.AioRpcError) -> bool:
    return next(iter(_details(error)), None) is not None


def _details(error: grpc.aio.AioRpcError) -> list[AnyDetail]:
    for name, value in error.trailing_metadata() or ():
        if name == DETAILS_TRAILER and isinstance(value, bytes):
            return list(status_pb2.Status.FromString(value).details)
    return []
