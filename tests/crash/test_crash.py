"""A dozen runs under kills, cuts and faults; `make crash-test` plays hundreds."""

import pytest
from rich.console import Console

from tests.crash.__main__ import crash_test

RUNS = 12


@pytest.mark.timeout(600)
def test_a_dozen_runs_under_kills_and_faults_leave_the_warehouse_of_undisturbed_runs() -> None:
    report = crash_test(RUNS, seed=6, console=Console())

    assert report.is_good, report.problems
    assert report.runs == RUNS
    assert report.as_json()["kills"] > 0
