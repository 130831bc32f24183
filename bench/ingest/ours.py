"""`python -m bench.ingest.ours URL FOLDER`: one pass over the payments of a source, as the service reads it.

Parts and manifest go to a local object store in the folder. Writes the seconds, rows and memory to standard output.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import structlog

from bench.ingest.outcome import say
from bench.ingest.source_process import BEGIN, LONGEST_PAGE
from services.ingest.adapters.lake import ObjectLake
from services.ingest.adapters.source import SourceLimits, open_source
from services.ingest.adapters.source_patience import Patience
from services.ingest.domain.erasure import ErasedClients
from services.ingest.settings import IngestSettings
from services.ingest.workflow.reading import Pass, read_into_lake
from services.ingest.workflow.saving import sift_payments
from services.ingest.workflow.steps import Progress, ReadRules, StepContext
from services.ingest.workflow.values import Place
from services.runtime.clock import utc_now
from services.runtime.objects.opening import open_object_store

MINUTE = timedelta(minutes=1)
DAY: date = BEGIN.date()
SETTINGS = {name: field.default for name, field in IngestSettings.model_fields.items()}
PAGES_IN_FLIGHT: int = SETTINGS["pages_in_flight"]
RULES = ReadRules(
    page_limit=LONGEST_PAGE,
    pages_in_flight=PAGES_IN_FLIGHT,
    checkpoint_rows=SETTINGS["checkpoint_rows"],
    max_requests=SETTINGS["max_requests"],
    timeout=10 * MINUTE,
    max_quarantine_share=0,
)
LIMITS = SourceLimits(MINUTE, SETTINGS["max_page_bytes"], connections=PAGES_IN_FLIGHT, patience=Patience(1, 0))


@dataclass(frozen=True)
class _Tools:
    """Of a step's tools those that a pass needs."""

    lake: ObjectLake
    reading: ReadRules = RULES


@dataclass(frozen=True)
class _Context:
    """Of a step's context what a pass needs."""

    tools: _Tools
    attempt: int = 1
    progress: Progress = field(default_factory=Progress)
    checkpoint: Mapping[str, Any] = field(default_factory=dict)

    async def keep(self, _checkpoint: dict[str, Any]) -> None:
        """Nobody goes on with this pass."""


async def read(url: str, folder: Path) -> None:
    """One pass."""
    context = cast("StepContext", _Context(_Tools(ObjectLake(open_object_store(folder.as_uri(), None)))))
    started = time.perf_counter()
    async with open_source(url, LIMITS, utc_now) as source:
        one = Pass(
            Place("payments", DAY, "bench"),
            "",
            DAY,
            source.payments(DAY),
            partial(sift_payments, None, ErasedClients()),
            _begin,
        )
        stored = await read_into_lake(one, context)
    say(time.perf_counter() - started, stored.manifest.rows)


def _begin(_source_time: datetime) -> None:
    """At any time."""


if __name__ == "__main__":
    # Standard output is for the outcome alone.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(read(sys.argv[1], Path(sys.argv[2])))
