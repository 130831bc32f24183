"""`python -m bench.ingest.sequential URL FOLDER`: the usual script, page after page with requests and pandas.

One connection, a data frame a page with times as times, one Parquet file. It checks nothing: no value, no repeated
row, no moved page; amounts are floats.
"""

import sys
import time
from pathlib import Path

import pandas as pd
import requests

from bench.ingest.outcome import say
from bench.ingest.source_process import BEGIN, LONGEST_PAGE

MOMENTS = ("payment_at", "created_at", "updated_at")


def read(url: str, folder: Path) -> None:
    """All pages, to the first that is short."""
    started = time.perf_counter()
    frames: list[pd.DataFrame] = []
    with requests.Session() as session:
        while not frames or len(frames[-1]) == LONGEST_PAGE:
            place = f"updated_at={BEGIN:%Y-%m-%d}&limit={LONGEST_PAGE}&offset={len(frames) * LONGEST_PAGE}"
            answer = session.get(f"{url}/payments?{place}", timeout=60)
            answer.raise_for_status()
            frames.append(_typed(pd.DataFrame(answer.json())))
    # The last page may be empty, and would change the types of the others.
    payments = pd.concat([frame for frame in frames if len(frame)])
    payments.to_parquet(folder / "payments.parquet", compression="zstd")
    say(time.perf_counter() - started, len(payments))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    moments = [name for name in MOMENTS if name in frame]
    return frame.assign(**{name: pd.to_datetime(frame[name], format="ISO8601", utc=True) for name in moments})


if __name__ == "__main__":
    read(sys.argv[1], Path(sys.argv[2]))
