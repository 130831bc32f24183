"""Readings of one source, ours and the usual script's by turns."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.ingest.outcome import Outcome, outcome_of

OURS, SEQUENTIAL, UNCHECKED, FETCHING = (
    f"bench.ingest.{module}" for module in ("ours", "sequential", "unchecked", "fetching")
)
LATENCIES_MS = (20, 0)
# What reading is held to, by key: at least.
AT_LEAST = {"ratio_20ms": 7.0, "ratio_0ms": 4.0}


def figures(rows: int, turns: int) -> dict[str, float]:
    """Rows a second of both at each latency (medians), their ratios, and the most memory that ours held.

    Beside them what is reached without any check, and by fetching alone.
    """
    found: dict[str, float] = {}
    peaks: list[float] = []
    for latency in LATENCIES_MS:
        ours, sequential, unchecked, fetching = _outcomes(rows, latency, turns)
        rate, usual = _rate(ours), _rate(sequential)
        found |= {f"rows_s_{latency}ms": round(rate), f"sequential_rows_s_{latency}ms": round(usual)}
        found |= {
            f"ratio_{latency}ms": round(rate / usual, 2),
            f"unchecked_rows_s_{latency}ms": round(_rate(unchecked)),
            f"unchecked_ratio_{latency}ms": round(_rate(unchecked) / usual, 2),
            f"fetch_only_rows_s_{latency}ms": round(_rate(fetching)),
        }
        peaks += [outcome.peak_rss_mib for outcome in ours]
    return found | {"peak_rss_mib": round(max(peaks), 1)}


def shortfalls(found: dict[str, float]) -> list[str]:
    """What reading is held to and does not reach, a line each."""
    return [f"{key} is {found[key]}, under {least}" for key, least in AT_LEAST.items() if found[key] < least]


def _outcomes(rows: int, latency_ms: int, turns: int) -> list[list[Outcome]]:
    """Of ours, of the usual script's, without checks, and of fetching alone, by turns."""
    modules = (OURS, SEQUENTIAL, UNCHECKED, FETCHING)
    found: list[list[Outcome]] = [[] for _ in modules]
    with _source(rows, latency_ms) as url:
        for _ in range(turns):
            for module, outcomes in zip(modules, found, strict=True):
                with TemporaryDirectory(prefix="afin-bench-") as folder:
                    outcomes.append(outcome_of(module, url, Path(folder)))
    wrong = {outcome.rows for outcomes in found for outcome in outcomes} - {rows}
    if wrong:
        raise RuntimeError(f"the source has {rows} rows, and {sorted(wrong)} were read")
    return found


def _rate(outcomes: list[Outcome]) -> float:
    return outcomes[0].rows / median(outcome.seconds for outcome in outcomes)


@contextmanager
def _source(rows: int, latency_ms: int) -> Iterator[str]:
    """Its URL, while it serves in a process of its own."""
    command = [sys.executable, "-m", "bench.ingest.source_process", str(rows), str(latency_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate(timeout=60)
