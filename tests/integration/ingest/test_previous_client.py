"""A caller with the protos of the previous release runs a pipeline, and finds what it knows in the answers."""

import grpc

from services.ingest.settings import IngestSettings
from tests.compat.previous import PreviousClient
from tests.integration.ingest.serving import Ingest

INGEST, WAREHOUSE = "afin.ingest.v1.IngestService", "afin.warehouse.v1.WarehouseService"


async def test_a_caller_of_the_previous_release_runs_watches_and_reads(
    ingest: Ingest, settings: IngestSettings
) -> None:
    async with grpc.aio.insecure_channel(ingest.address) as to_ingest:
        caller = PreviousClient(to_ingest)
        run = (await caller.call(f"{INGEST}/RunPipeline", pipeline="PIPELINE_COMPANIES"))["run"]
        seen = await caller.stream(f"{INGEST}/WatchRun", run_id=run["run_id"])
        run = (await caller.call(f"{INGEST}/RunPipeline", pipeline="PIPELINE_RECOMMENDATIONS"))["run"]
        last = (await caller.stream(f"{INGEST}/WatchRun", run_id=run["run_id"]))[-1]["run"]
        watermark = await caller.call(f"{INGEST}/GetWatermark")
    async with grpc.aio.insecure_channel(settings.warehouse_address) as to_warehouse:
        companies = await PreviousClient(to_warehouse).call(f"{WAREHOUSE}/ListCompanies", page_size=10)

    assert (seen[-1]["run"]["state"], last["state"]) == ("RUN_STATE_SUCCEEDED", "RUN_STATE_SUCCEEDED")
    assert (last["account"]["read"], last["account"]["new"]) == ("20", "20")
    assert watermark["payments"]
    assert len(companies["companies"]) == 5
