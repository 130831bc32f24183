"""Steps of `erasure`: the client out of the warehouse, then out of the lake, then a new index without the client."""

from services.contracts.erasures import ErasureRecord
from services.ingest.domain.erasure import CLOCK_TOLERANCE
from services.ingest.workflow import index
from services.ingest.workflow.errors import IndexNotPublished, PeerRefused
from services.ingest.workflow.outputs import ErasureParameters
from services.ingest.workflow.steps import StepContext, StepResult
from services.ingest.workflow.values import ClientDigest

LATER = "the next index that is published is without the client"


async def erase_from_warehouse(context: StepContext) -> StepResult:
    """Removes every observation of the client."""
    tools, client = context.tools, ErasureParameters.read(context.run.parameters)
    until = (context.run.started_at or context.run.created_at) + CLOCK_TOLERANCE
    record = ErasureRecord(erasure_id=context.run_id, client_digest=client.client_digest, until=until)
    # First of all: from here on, no pass brings the client back.
    await tools.records.keep(record)
    digest = ClientDigest(await tools.records.salt(), client.digest)
    removed = await tools.warehouse.erase_client(context.run_id, digest, until)
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
