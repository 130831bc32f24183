"""Steps of the pipeline `companies`: the whole catalogue, in one load."""

from dataclasses import replace

from services.ingest.workflow.accounting import load_result
from services.ingest.workflow.outputs import CompaniesParameters, SavedOutput
from services.ingest.workflow.saving import save_companies_of, saved_of
from services.ingest.workflow.steps import StepContext, StepResult
from services.ingest.workflow.values import ManifestReference


async def save_companies(context: StepContext) -> StepResult:
    """Reads the catalogue into the lake and loads it; the warehouse refuses one that is empty or far too small."""
    saved = await _loaded_before(context) or await save_companies_of(context)
    accepts_fewer = CompaniesParameters.read(context.run.parameters).accept_fewer_companies
    context.progress.say("loading")
    context.progress.commit()
    loaded = await context.tools.warehouse.load_companies(context.run_id, saved.manifest, accept_fewer=accepts_fewer)
    await context.tools.lake.keep_receipt(loaded.receipt)
    return replace(load_result(context, saved, loaded), output=saved.to_json())


async def _loaded_before(context: StepContext) -> SavedOutput | None:
    """What an attempt has loaded that did not come to tell: whatever else was stored since is not of this load."""
    load = await context.tools.warehouse.find_load(context.run_id)
    if load is None:
        return None
    named = ManifestReference(load.receipt.manifest_key, load.receipt.manifest_sha256)
    return saved_of(context, await context.tools.lake.open(named))


async def update_last_companies_update(context: StepContext) -> StepResult:
    """Notes in the warehouse that the catalogue is complete as of the load."""
    recorded = await context.tools.warehouse.record_companies_update(context.run_id)
    await context.tools.lake.keep_receipt(recorded.receipt)
    context.progress.say(f"companies are complete as of {recorded.companies.isoformat()}")
    return StepResult()
