"""Errors as they travel."""

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2

from services.runtime.checksums import require_sha256, sha256_of
from services.runtime.errors import (
    AlreadyExists,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ServiceError,
    Unavailable,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (NotFound, grpc.StatusCode.NOT_FOUND),
        (AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
        (FailedPrecondition, grpc.StatusCode.FAILED_PRECONDITION),
        (Unavailable, grpc.StatusCode.UNAVAILABLE),
        (DeadlineExceeded, grpc.StatusCode.DEADLINE_EXCEEDED),
        (DataLoss, grpc.StatusCode.DATA_LOSS),
    ],
)
def test_each_error_has_its_code_and_its_message(kind: type[ServiceError], code: grpc.StatusCode) -> None:
    status = kind("what to do").to_status()

    assert status.code == code_pb2.Code.Value(code.name)
    assert status.message == "what to do"


def test_a_reason_and_its_data_are_for_programs() -> None:
    error = Unavailable("later", reason="NO_INDEX", metadata={"key": "value"})

    info = error_details_pb2.ErrorInfo()
    (detail,) = error.to_status().details
    assert detail.Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == ("NO_INDEX", "afin", {"key": "value"})


def test_a_reason_that_is_not_given_is_that_of_the_kind() -> None:
    assert NotFound("where").reason == "NOT_FOUND"


def test_a_wrong_field_is_named_as_a_violation() -> None:
    error = InvalidArgument("requests[3].max_results", "must be 1 to 100, is 0")

    violations = error_details_pb2.BadRequest()
    assert error.to_status().details[1].Unpack(violations)
    (violation,) = violations.field_violations
    assert (violation.field, violation.description) == ("requests[3].max_results", "must be 1 to 100, is 0")
    assert error.message == "requests[3].max_results: must be 1 to 100, is 0"


def test_bytes_with_their_checksum_pass() -> None:
    require_sha256(b"content", sha256_of(b"content"), "some/key")


def test_bytes_with_another_checksum_are_refused_by_key() -> None:
    with pytest.raises(DataLoss, match="'some/key'") as caught:
        require_sha256(b"other", sha256_of(b"content"), "some/key")

    assert caught.value.metadata == {"key": "some/key"}
