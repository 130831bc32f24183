"""A dozen runs under kills, cuts and faults; `make crash-test` plays hundreds."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from rich.console import Console

from tests.crash.__main__ import crash_test

RUNS = 12
# Of which some runs erase, replay and publish.
SEED = 20


@pytest.mark.timeout(600)
def test_a_dozen_runs_under_kills_and_faults_leave_the_warehouse_of_undisturbed_runs() -> None:
    with TemporaryDirectory(prefix="afin-crash-") as folder:
        report = crash_test(RUNS, SEED, Console(), Path(folder))

    assert report.is_good, report.problems
    assert report.runs == RUNS
    assert report.as_json()["kills"] > 0
    assert {"replay", "erasure", "reconcile"} <= set(report.pipelines)
    assert report.indexes > 0
