"""`python -m tests.compat.store`: what this code speaks and stores, for the next release to be tried with.

To be run when a release is made (docs/releasing.md). It runs both pipelines of a small stack, and replaces the folder
`previous` by the protos, the whole object store, what clients were recommended, and the checksums of the migrations.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from services.runtime.version import code_version
from tests.compat.previous import CALL_SECONDS, OBJECTS, PREVIOUS, PROTOS, RECORD, Record, revisions
from tests.e2e.canary.world import World, canary_world

CLIENTS = ("client-0", "client-1", "client-2", "nobody")


def store_protos() -> None:
    """Their compiled image, as `buf breaking` and `PreviousClient` read it."""
    buf = Path(sys.executable).with_name("buf")
    subprocess.run([buf, "build", "--exclude-source-info", "--output", PROTOS], check=True)


async def store_objects() -> None:
    """The object store of a small stack, and what is to be found in it."""
    with TemporaryDirectory(prefix="afin-previous-") as folder:
        async with canary_world(Path(folder) / "state") as world:
            for pipeline in (ingest_pb2.PIPELINE_COMPANIES, ingest_pb2.PIPELINE_RECOMMENDATIONS):
                run = await world.run(pipeline)
                if run.state != ingest_pb2.RUN_STATE_SUCCEEDED:
                    raise SystemExit(f"the run failed: {run.error}")
            recorded = await _recorded(world)
        shutil.copytree(Path(folder) / "state" / "objects", OBJECTS)
    RECORD.write_text(json.dumps(asdict(recorded), indent=1) + "\n")


async def _recorded(world: World) -> Record:
    answers, version = {}, ""
    for client in CLIENTS:
        request = recommender_pb2.RecommendRequest(client_id=client, max_results=5)
        answer = await world.recommender.Recommend(request, timeout=CALL_SECONDS, wait_for_ready=True)
        answers[client] = [each.company_code for each in answer.recommendations]
        version = answer.index.version
    asked = warehouse_pb2.GetStatisticsRequest()
    statistics = await world.warehouse.GetStatistics(asked, timeout=CALL_SECONDS)
    return Record(
        version=code_version(),
        index_version=version,
        answers=answers,
        payments=statistics.payment_versions,
        companies=statistics.company_versions,
        revisions=revisions(),
    )


if __name__ == "__main__":
    shutil.rmtree(PREVIOUS, ignore_errors=True)
    PREVIOUS.mkdir()
    store_protos()
    asyncio.run(store_objects())
