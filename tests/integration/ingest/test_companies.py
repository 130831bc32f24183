"""The catalogue through ingest: fewer companies fail the run until somebody says that they are gone for good."""

import grpc

from afin.ingest.v1 import ingest_pb2 as pb
from tests.integration.ingest.serving import CALL_SECONDS, Ingest, refusal, step_of
from tests.integration.ingest.source_server import SourceServer, company
from tests.integration.ingest.warehouse_server import WarehouseServer

ACCEPTED = pb.RunPipelineRequest(pipeline=pb.PIPELINE_COMPANIES, accept_fewer_companies=True)


async def test_a_catalogue_that_lacks_most_companies_fails_the_run_and_says_how_to_accept_it(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    source.companies = source.companies[:1]

    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)

    assert run.state == pb.RUN_STATE_FAILED
    assert "lacks 4 of the 5 active companies" in run.error
    assert "run the pipeline companies with accept_fewer_companies" in run.error
    assert (await warehouse.statistics()).current_companies == 5


async def test_fewer_companies_are_retired_by_a_run_that_accepts_them(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    source.companies = source.companies[:1]

    started = (await ingest.stub.RunPipeline(ACCEPTED, timeout=CALL_SECONDS)).run
    run = await ingest.end_of(started.run_id)

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert (run.account.read, run.account.unchanged) == (1, 1)
    assert step_of(run, "save_companies").counts["retired"] == 4
    assert (await warehouse.statistics()).retired_companies == 4


async def test_a_bad_company_is_quarantined_and_neither_stops_good_ones_nor_retires_its_own(
    ingest: Ingest, source: SourceServer, warehouse: WarehouseServer
) -> None:
    await ingest.load_companies()
    source.companies = [company(number, company_name="") for number in range(4)] + [company(4, company_name="Other")]

    run = await ingest.run_to_end(pb.PIPELINE_COMPANIES)

    assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
    assert (run.account.read, run.account.changed, run.account.quarantined) == (5, 1, 4)
    assert {row.reason for row in (await ingest.quarantined(run.run_id)).rows} == {"company_name is empty"}
    assert (await warehouse.statistics()).current_companies == 5


async def test_accepting_fewer_companies_is_refused_for_another_pipeline(ingest: Ingest) -> None:
    request = pb.RunPipelineRequest(pipeline=pb.PIPELINE_RECOMMENDATIONS, accept_fewer_companies=True)

    refused = await refusal(ingest.stub.RunPipeline(request, timeout=CALL_SECONDS))

    assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, "accept_fewer_companies")
