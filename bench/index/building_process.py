"""`python -m bench.index.building_process NAME DIVISOR FOLDER`: builds, validates and publishes an index.

All as the service does it, but for the rows, which are made up. The service's log goes to stdout: lines of the event
`build stage ended` tell each stage, with its seconds and the most memory that the process at work held.
"""

import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import structlog

from bench.index.rows import SIZES, MadeRows, Size
from services.indexer.assembly import assembled
from services.indexer.settings import IndexerSettings
from services.indexer.workflow.validate import Wish
from services.runtime.objects.local import LocalObjectStore

BUILD = "bench"
LOOK_SECONDS = 0.02
log = structlog.get_logger(__name__)


async def main(size: Size, folder: Path) -> None:
    """Builds."""
    objects = folder / "objects"
    objects.mkdir()
    settings = IndexerSettings.model_validate(
        {"database_url": "postgresql://nowhere/none", "object_store_url": objects.as_uri()}
    )
    workflow = assembled(settings, MadeRows(size), LocalObjectStore(objects), folder)
    version = [progress.version async for progress in workflow.builder.build(BUILD)][-1]
    begun, cpu_begun = time.perf_counter(), _cpu_seconds()
    watch = asyncio.create_task(_peak_of_children())
    validation, _ = await workflow.validator.validate(version, Wish(publish=True))
    watch.cancel()
    refused = "; ".join(check.detail for check in validation.checks if not check.passed)
    log.info(
        "build stage ended",
        stage="validate_and_publish",
        detail=f"refused: {refused}" if refused else "published",
        refused=refused,
        seconds=round(time.perf_counter() - begun, 3),
        cpu_seconds=round(_cpu_seconds() - cpu_begun, 3),
        peak_rss_mib=await watch,
    )


def _cpu_seconds() -> float:
    """Of this process and its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


async def _peak_of_children() -> int:
    """The most memory, in MiB, that one of the child processes of this process held, until cancelled."""
    peak, this = 0, psutil.Process()
    with suppress(asyncio.CancelledError):
        while True:
            for child in this.children():
                with suppress(psutil.NoSuchProcess):
                    peak = max(peak, child.memory_info().rss)
            await asyncio.sleep(LOOK_SECONDS)
    return peak >> 20


if __name__ == "__main__":
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    asyncio.run(main(SIZES[sys.argv[1]].divided(int(sys.argv[2])), Path(sys.argv[3])))
