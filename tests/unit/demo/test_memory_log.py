"""Peaks of memory between two moments."""

from datetime import UTC, datetime, timedelta

from demo.main_job.memory import MIB, MemoryLog, Sample

START = datetime(2026, 1, 1, tzinfo=UTC)


def log(*mebibytes: int) -> MemoryLog:
    """One sample a second of a process `indexer`."""
    return MemoryLog(
        [Sample(START + timedelta(seconds=n), {"indexer": size * MIB}) for n, size in enumerate(mebibytes)]
    )


def test_the_peak_is_the_largest_sample_between_the_moments() -> None:
    assert (
        log(900, 100, 300, 200, 900).peak_mib("indexer", START + timedelta(seconds=1), START + timedelta(seconds=3))
        == 300
    )


def test_a_stage_shorter_than_the_interval_takes_the_nearest_sample() -> None:
    moment = START + timedelta(seconds=1.4)
    assert log(100, 200, 300).peak_mib("indexer", moment, moment + timedelta(milliseconds=1)) == 200


def test_a_process_that_was_never_seen_has_no_peak() -> None:
    assert log(100).peak_mib("warehouse", START, START) == 0
