"""`python -m bench.ingest.ours URL FOLDER`: one pass over the payments of a source, as the service reads it.

Parts and manifest go to a local object store in the folder. Writes the seconds, rows and memory to standard output.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import structlog

from bench.ingest.outcome import say
from bench.ingest.source_process import BEGIN, LONGEST_PAGE
from services.ingest.adapters.lake import ObjectLake
from services.ingest.adapters.source import SourceLimits, open_source
from services.ingest.adapters.source_patience import Patience
from services.ingest.domain.sifting import Sifted, Terms, sift
from services.ingest.settings import IngestSettings
from services.ingest.workflow.reading import Pass, read_into_lake
from services.ingest.workflow.steps import Progress, ReadRules
from services.ingest.workflow.values import Page, Place
from services.runtime.clock import utc_now
from services.runtime.objects.opening import open_object_store

MINUTE = timedelta(minutes=1)
PAGES_IN_FLIGHT: int = IngestSettings.model_fields["pages_in_flight"].default
RULES = ReadRules(LONGEST_PAGE, PAGES_IN_FLIGHT, max_requests=100_000, timeout=10 * MINUTE, max_quarantine_share=0)
LIMITS = SourceLimits(MINUTE, max_page_bytes=2**26, connections=PAGES_IN_FLIGHT, patience=Patience(1, 0))
DAY: date = BEGIN.date()


async def read(url: str, folder: Path) -> None:
    """One pass."""
    lake = ObjectLake(open_object_store(folder.as_uri(), None))
    started = time.perf_counter()
    async with open_source(url, LIMITS, utc_now) as source:
        one = Pass(Place("payments", DAY, "bench"), 1, DAY, source.payments(DAY), _sift, _begin)
        stored = await read_into_lake(one, lake, RULES, Progress())
    say(time.perf_counter() - started, stored.manifest.rows)


def _sift(page: Page, kept: Sequence[int], first_position: int) -> Sifted:
    return sift(page.rows, kept, Terms(page.source_time), first_position)


def _begin(_source_time: datetime) -> None:
    """At any time."""


if __name__ == "__main__":
    # Standard output is for the outcome alone.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(read(sys.argv[1], Path(sys.argv[2])))
