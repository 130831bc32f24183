"""What work is expected to take by what it took."""

import pytest

from services.runtime.usual import LATELY, UsualTime

THREADS = 2


def usual_after(*times: float) -> float:
    usual = UsualTime(THREADS)
    for seconds in times:
        usual.add(seconds)
    return usual.seconds


def test_a_moment_in_which_all_threads_stood_still_is_left_out() -> None:
    assert usual_after(*[0.01] * LATELY, *[5.0] * THREADS) == pytest.approx(0.01)


def test_work_that_takes_long_again_and_again_is_told() -> None:
    assert usual_after(*[0.01] * LATELY, *[1.0] * LATELY) == pytest.approx(1.0)
    assert usual_after(*[0.01, 1.0] * LATELY) > 0.4


def test_nothing_is_expected_before_there_is_more_than_may_be_left_out() -> None:
    assert [usual_after(), usual_after(9.0, 9.0), usual_after(9.0, 9.0, 3.0)] == [0.0, 0.0, 3.0]
