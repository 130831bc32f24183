"""What a refused call says to a person, and to a program by its exit code."""

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from cli.ending import ending_of
from services.runtime.errors import DETAILS_TRAILER, ServiceError, overloaded

Code = grpc.StatusCode


def error(code: grpc.StatusCode, said: str = "", of: ServiceError | None = None) -> AioRpcError:
    trailers = Metadata((DETAILS_TRAILER, of.to_status().SerializeToString())) if of else Metadata()
    return AioRpcError(code, Metadata(), trailers, details=said)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (Code.INVALID_ARGUMENT, 2),
        (Code.NOT_FOUND, 3),
        (Code.UNAUTHENTICATED, 4),
        (Code.PERMISSION_DENIED, 4),
        (Code.FAILED_PRECONDITION, 5),
        (Code.UNAVAILABLE, 6),
        (Code.DEADLINE_EXCEEDED, 6),
        (Code.INTERNAL, 1),
        (Code.DATA_LOSS, 1),
    ],
)
def test_each_status_has_its_exit_code(code: grpc.StatusCode, exit_code: int) -> None:
    ending = ending_of(error(code, "said"), "ingest", "host:1")
    assert ending.exit_code == exit_code
    assert "\n" not in str(ending)


def test_what_is_not_found_comes_with_the_command_that_lists() -> None:
    ending = ending_of(error(Code.NOT_FOUND, "no run 7"), "ingest", "host:1", "afin run list")
    assert str(ending) == "no run 7; `afin run list` tells what there is"


def test_a_service_that_does_not_answer_is_named_with_its_place() -> None:
    said = str(ending_of(error(Code.UNAVAILABLE, "connection refused"), "ingest", "host:1"))
    assert said.startswith("ingest at host:1 does not answer; `afin doctor`")


def test_a_service_that_says_why_it_is_unavailable_is_heard() -> None:
    unavailable = error(Code.UNAVAILABLE, "no index is loaded yet", ServiceError("no index is loaded yet"))
    assert str(ending_of(unavailable, "recommender", "host:1")) == "no index is loaded yet"


def test_an_overloaded_service_tells_when_to_come_again() -> None:
    said = str(ending_of(error(Code.RESOURCE_EXHAUSTED, "too many calls", overloaded()), "ingest", "host:1"))
    assert said.startswith("too many calls (in ")
