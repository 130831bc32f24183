"""The bench of loads, small: it runs to its end, on batches of the shares that it tells."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.load.databases import new_warehouse
from bench.load.measuring import Measuring, Sizes
from bench.load.ours import Loaded, loader
from bench.load.report import figures
from bench.load.rows import Payments, first_seen, scattered, window

MOST_MEMORY_MIB = 512
SMALL = Sizes(batch=2_000, known=4_000, many=6_000, small=100, repeats=1, small_repeats=1)
KEYS = {"floor_rows_s", "initial_ratio", "batch_ratio", "small_batch_ms_1m", "small_batch_ms_5m", "peak_rss_mib"}


@pytest.fixture
def url_of(postgres_url: str) -> Callable[[str], str]:
    """Databases of the tests' server by name."""
    return lambda name: postgres_url.replace("/postgres?", f"/{name}?")


def test_all_but_the_rivals_is_measured(url_of: Callable[[str], str], tmp_path: Path) -> None:
    said: list[str] = []
    measuring = Measuring(url_of, tmp_path, SMALL, said.append)
    measuring.measure_initial()
    measuring.measure_batches()
    found = figures(measuring.seconds, SMALL)
    assert found.keys() == KEYS
    assert all(value > 0 for value in found.values())
    assert len(said) == 7


@pytest.mark.parametrize("batch", [scattered, window])
def test_a_batch_has_the_shares_that_it_tells(
    url_of: Callable[[str], str], tmp_path: Path, batch: Callable[[int, int, int], Payments]
) -> None:
    with loader(new_warehouse(url_of), tmp_path) as ours:
        ours.load(first_seen(0, 4_000))
        accounts = [_account(ours.load(batch(4_000, 1_000, turn))) for turn in range(2)]
    assert accounts == [(30, 70, 900), (30, 70, 900)]


def test_memory_is_bounded_whatever_the_batch(url_of: Callable[[str], str], tmp_path: Path) -> None:
    with loader(new_warehouse(url_of), tmp_path) as ours:
        small = ours.load(first_seen(0, 100_000))
        large = ours.load(first_seen(100_000, 300_000))
    assert large.peak_rss_mib < MOST_MEMORY_MIB
    # A part of 100,000 rows is the most that is ever held: three times as many rows take no more.
    assert large.peak_rss_mib < 1.5 * small.peak_rss_mib


def _account(loaded: Loaded) -> tuple[int, int, int]:
    return loaded.new, loaded.changed, loaded.unchanged
