"""When a call is tried again, and when its error is told."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest

from afin_client import Overloaded, Tls, Unavailable, clicked, paid, shown
from afin_client.errors import KINDS, AfinError, error_of
from afin_client.retrying import LONGEST_PAUSE, MOST_TOKENS, Attempts, Budget
from services.runtime.errors import DETAILS_TRAILER, InvalidArgument, ResourceExhausted

UNAVAILABLE = Unavailable("away", grpc.StatusCode.UNAVAILABLE)
SECOND = timedelta(seconds=1)


def overloaded(retry_after: timedelta | None = None) -> Overloaded:
    return Overloaded("too much", grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=retry_after)


class Clock:
    """Stands still until it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def attempts(timeout: timedelta, budget: Budget | None = None, clock: Clock | None = None) -> Attempts:
    return Attempts(timeout, budget or Budget(), clock or Clock(), chance=lambda: 1.0)


def test_pauses_grow_to_a_longest_one() -> None:
    tries = attempts(60 * SECOND)
    pauses = [tries.pause_after(UNAVAILABLE) for _ in range(10)]
    assert pauses[:4] == [0.01, 0.02, 0.04, 0.08]
    assert pauses[-1] == LONGEST_PAUSE


def test_chance_makes_a_pause_shorter_by_half_at_most() -> None:
    tries = Attempts(SECOND, Budget(), Clock(), chance=lambda: 0.0)
    assert tries.pause_after(UNAVAILABLE) == 0.005


def test_no_pause_goes_beyond_the_deadline() -> None:
    clock = Clock()
    tries = attempts(SECOND, clock=clock)
    assert tries.pause_after(UNAVAILABLE) == 0.01
    clock.now = 0.99
    with pytest.raises(Unavailable):
        tries.pause_after(UNAVAILABLE)
    assert tries.time_left() == pytest.approx(0.01)
    clock.now = 5
    assert tries.time_left() == 0


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_nothing_but_what_is_away_or_overloaded_is_tried_again(code: grpc.StatusCode) -> None:
    error = KINDS.get(code, AfinError)("no", code)
    tries = attempts(SECOND)
    if code.name in ("UNAVAILABLE", "CANCELLED", "RESOURCE_EXHAUSTED"):
        assert tries.pause_after(error) > 0
    else:
        with pytest.raises(AfinError) as caught:
            tries.pause_after(error)
        assert caught.value is error


def test_an_overloaded_service_is_given_the_pause_that_it_asks_for() -> None:
    assert attempts(2 * SECOND).pause_after(overloaded(SECOND)) == 1
    with pytest.raises(Overloaded):
        attempts(SECOND).pause_after(overloaded(SECOND))


def test_tries_on_an_overloaded_service_have_a_budget_that_successes_fill_again() -> None:
    budget = Budget()
    for _ in range(int(MOST_TOKENS)):
        attempts(SECOND, budget).pause_after(overloaded())
    with pytest.raises(Overloaded):
        attempts(SECOND, budget).pause_after(overloaded())
    assert attempts(SECOND, budget).pause_after(UNAVAILABLE) > 0
    for _ in range(11):
        attempts(SECOND, budget).succeeded()
    assert attempts(SECOND, budget).pause_after(overloaded()) > 0


class Call:
    """A call that failed with an error of ours."""

    def __init__(self, error: InvalidArgument | ResourceExhausted, trailer: bytes | None = None) -> None:
        self._error = error
        self._trailer = error.to_status().SerializeToString() if trailer is None else trailer

    def code(self) -> grpc.StatusCode:
        return self._error.code

    def details(self) -> str:
        return self._error.message

    def trailing_metadata(self) -> object:
        return (("other", "x"), (DETAILS_TRAILER, self._trailer))


def test_an_error_tells_reason_field_and_when_to_come_back() -> None:
    wrong = error_of(Call(InvalidArgument("max_results", "must be 1 to 100")))
    assert (wrong.reason, wrong.field, str(wrong)) == (
        "INVALID_ARGUMENT",
        "max_results",
        "max_results: must be 1 to 100",
    )
    busy = error_of(Call(ResourceExhausted("later", SECOND, reason="BUSY")))
    assert (type(busy), busy.reason, busy.retry_after) == (Overloaded, "BUSY", SECOND)


def test_details_that_cannot_be_read_are_left_out() -> None:
    found = error_of(Call(InvalidArgument("x", "y"), trailer=b"\xff\xff"))
    assert (found.reason, found.field, found.message) == ("", "", "x: y")


def test_events_take_an_answer_or_its_id_and_a_moment_with_its_zone() -> None:
    moment = datetime(2026, 3, 10, 12, tzinfo=UTC)
    events = [tell("an-id", "C1", moment) for tell in (shown, clicked, paid)]
    assert [(each.recommendation_id, each.kind) for each in events] == [("an-id", 1), ("an-id", 2), ("an-id", 3)]
    assert events[0].at.ToDatetime(UTC) == moment
    with pytest.raises(ValueError, match="time zone"):
        shown("an-id", "C1", datetime(2026, 3, 10, 12))  # noqa: DTZ001 - which is what is refused


def test_a_certificate_comes_with_its_key() -> None:
    with pytest.raises(ValueError, match="together"):
        Tls(certificate=__file__)  # type: ignore[arg-type]
