"""A few runs under kills; `make index-crash-test` plays fifty."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from rich.console import Console

from tests.index_crash.__main__ import index_crash_test
from tests.index_crash.report import as_json

RUNS = 4


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [pytest.param(2, id="on S3"), pytest.param(3, id="in a folder")])
def test_whatever_is_killed_a_whole_index_is_served_and_the_next_try_publishes(seed: int) -> None:
    with TemporaryDirectory(prefix="afin-index-crash-") as folder:
        report = as_json(index_crash_test(RUNS, seed, Path(folder), Console()))

    assert report["problems"] == []
    # An experiment begins and ends once in four runs.
    assert (report["runs"], report["epochs"]) == (RUNS, RUNS + RUNS // 2)
    assert report["kills"] >= RUNS
    assert report["answers"] > 0
