"""What is told of refused calls."""

from structlog.testing import capture_logs

from services.runtime.calls import refusal
from services.runtime.errors import DETAILS_TRAILER, InvalidArgument, overloaded
from services.runtime.lanes import Lane, lane_of, quick, work_lane


def test_a_wrong_argument_is_written_down_and_a_call_refused_for_their_number_is_not() -> None:
    with capture_logs() as logs:
        trailers = [refusal(InvalidArgument("count", "must be 1 to 5")), refusal(overloaded())]

    assert [line["code"] for line in logs] == ["INVALID_ARGUMENT"]
    assert [trailer[0][0] for trailer in trailers] == [DETAILS_TRAILER] * 2


def test_a_method_without_a_lane_is_work_whatever_is_asked() -> None:
    assert lane_of(lambda request, context: None) is work_lane
    assert work_lane(None) is Lane.WORK
    assert lane_of(quick(lambda request, context: None)) is not work_lane
