"""Steps of `erasure` behind the lake: the client out of the warehouse, then a new index without the client.

The lake comes first: were the erasure to fail between the two, a retried run could still load what it had saved.
"""

from services.ingest.workflow import index
from services.ingest.workflow.errors import IndexNotPublished, PeerRefused
from services.ingest.workflow.outputs import ErasureParameters
from services.ingest.workflow.steps import StepContext, StepResult
from services.ingest.workflow.values import ClientDigest

# Behind it the client is out of lake and warehouse.
LAST_STEP = "erase_from_warehouse"
LATER = "the next index that is published is without the client"


async def erase_from_warehouse(context: StepContext) -> StepResult:
    """Removes every observation of the client."""
    tools, client = context.tools, ErasureParameters.read(context.run.parameters).digest
    known = await tools.records.erased_clients()
    removed = await tools.warehouse.erase_client(context.run_id, ClientDigest(known.salt, client), known.until[client])
    context.progress.count(versions=removed.versions, confirmations=removed.confirmations)
    context.progress.say(f"{removed.versions} versions and {removed.confirmations} confirmations removed")
    return StepResult()


async def create_payments_index(context: StepContext) -> StepResult:
    """Has an index built without the client. That it cannot be built does not undo the erasure, nor fail it."""
    try:
        return await index.create_payments_index(context)
    except PeerRefused as refusal:
        context.progress.say(f"no index was built ({refusal.message}); {LATER}")
        return StepResult()


async def validate_payments_index(context: StepContext) -> StepResult:
    """Has it published, if one was built and is good enough; the same holds for one that is not."""
    if not context.outputs[index.BUILD_STEP]:
        context.progress.say(LATER)
        return StepResult()
    try:
        return await index.validate_payments_index(context)
    except (PeerRefused, IndexNotPublished) as refusal:
        context.progress.say(f"{refusal.message}; {LATER}")
        return StepResult()
