"""Figures of serving: what they are made of, and what is told when they fall short."""

import pytest

from bench.serving.checking import Checked
from bench.serving.processes import Memory
from bench.serving.report import figures, shortfalls
from bench.serving.rounds import ECHO_OF_OURS, FASTEST, FLOOR, ONLINE, PLAIN, Rounds, Turn

GOOD = {
    FLOOR: [Turn(1000, 1, 2, 100), Turn(2000, 1, 4, 200)],
    FASTEST: [Turn(1100, 1, 2, 90), Turn(2200, 1, 4, 180)],
    ECHO_OF_OURS: [Turn(1800, 1, 2, 100), Turn(3600, 1, 4, 200)],
    PLAIN: [Turn(900, 1, 2, 130), Turn(1800, 1, 4, 230)],
    ONLINE: [Turn(600, 2, 4, 180), Turn(1200, 2, 8, 300)],
}


def rounds(**other: list[Turn]) -> Rounds:
    return Rounds(Checked(388, 400), turns=GOOD | other, memory=Memory(300, 200, 100), ready_seconds=2)


def test_ratios_are_of_the_turns_of_one_round() -> None:
    found = figures(rounds(), None)

    assert found["ratio"] == 0.9
    assert found["fastest_floor_ratio"] == pytest.approx(0.818)
    assert found["echo_of_ours_ratio"] == 0.5
    assert found["online_ratio"] == 0.6
    assert found["added_cpu_us"] == 30
    assert found["two_processes_ratio"] is None
    assert shortfalls({"given": found}) == []


@pytest.mark.parametrize(
    ("plain", "key"),
    [
        ([Turn(800, 1, 2, 100), Turn(1600, 1, 4, 200)], "ratio is 0.8, under"),
        ([Turn(900, 1, 4, 100), Turn(1800, 1, 8, 200)], "p99_to_floor is 2.0, over"),
        ([Turn(900, 1, 2, 160), Turn(1800, 1, 4, 260)], "added_cpu_us is 60"),
    ],
)
def test_what_falls_short_is_told(plain: list[Turn], key: str) -> None:
    found = figures(rounds(**{PLAIN: plain}), None)

    assert any(key in line for line in shortfalls({"given": found}))


def test_failed_calls_and_slow_starts_fall_short_with_any_index() -> None:
    found = rounds()
    found.failed, found.ready_seconds = {PLAIN: 3}, 11

    told = shortfalls({"generated": figures(found, 1.2)})

    assert told == ["generated: 3 calls failed", "generated: ready after 11 s, over 10.0"]
