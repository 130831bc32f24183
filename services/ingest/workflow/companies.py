"""Steps of the pipeline `companies`: the whole catalogue, in one load."""

from services.ingest.workflow.accounting import load_result
from services.ingest.workflow.outputs import CompaniesParameters
from services.ingest.workflow.saving import save_companies_of
from services.ingest.workflow.steps import StepContext, StepResult
from services.ingest.workflow.values import ManifestReference


async def save_companies(context: StepContext) -> StepResult:
    """Reads the catalogue into the lake and loads it; the warehouse refuses one that is empty or far too small."""
    saved = await save_companies_of(context)
    manifest = ManifestReference(saved.manifest_key, saved.manifest_sha256)
    accepts_fewer = CompaniesParameters.read(context.run.parameters).accept_fewer_companies
    context.progress.say("loading")
    context.progress.commit()
    loaded = await context.tools.warehouse.load_companies(context.run_id, manifest, accept_fewer=accepts_fewer)
    return load_result(context, saved, loaded)


async def update_last_companies_update(context: StepContext) -> StepResult:
    """Notes in the warehouse that the catalogue is complete as of the load."""
    moment = await context.tools.warehouse.record_companies_update(context.run_id)
    context.progress.say(f"companies are complete as of {moment.isoformat()}")
    return StepResult()
