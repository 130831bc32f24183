"""Steps of the pipeline `companies`: the whole catalogue, in one load."""

from dataclasses import replace

from services.ingest.workflow.accounting import load_result
from services.ingest.workflow.outputs import CompaniesParameters
from services.ingest.workflow.saving import save_companies_of
from services.ingest.workflow.steps import StepContext, StepResult


async def save_companies(context: StepContext) -> StepResult:
    """Reads the catalogue into the lake and loads it; the warehouse refuses one that is empty or far too small."""
    saved = await save_companies_of(context)
    accepts_fewer = CompaniesParameters.read(context.run.parameters).accept_fewer_companies
    context.progress.say("loading")
    context.progress.commit()
    loaded = await context.tools.warehouse.load_companies(context.run_id, saved.manifest, accept_fewer=accepts_fewer)
    await context.tools.lake.keep_receipt(loaded.receipt)
    return replace(load_result(context, saved, loaded), output=saved.to_json())


async def update_last_companies_update(context: StepContext) -> StepResult:
    """Notes in the warehouse that the catalogue is complete as of the load."""
    recorded = await context.tools.warehouse.record_companies_update(context.run_id)
    await context.tools.lake.keep_receipt(recorded.receipt)
    context.progress.say(f"companies are complete as of {recorded.companies.isoformat()}")
    return StepResult()
