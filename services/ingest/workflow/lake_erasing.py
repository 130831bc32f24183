"""The step of `erasure` that takes a client out of the lake, run by run, of whatever age.

Of each run: first the rows that are left are written anew, then ledger, run and receipt name the new manifest, and only
then what it replaces is deleted. Wherever a process dies, a repetition goes on from what is named by then.
"""

from dataclasses import asdict

from services.contracts.erasures import ErasureRecord
from services.ingest.domain.erasure import CLOCK_TOLERANCE, ErasedClients
from services.ingest.workflow.outputs import ErasureParameters
from services.ingest.workflow.steps import StepContext, StepResult, Tools
from services.ingest.workflow.values import LakeErasure, ManifestReference, RunObjects, StoredManifest
from services.runtime.failpoints import Failpoint, passing

STEP = "erase_from_lake"


async def erase_from_lake(context: StepContext) -> StepResult:
    """Removes the client from raw objects and from the quarantine; its counts go on from those of earlier attempts."""
    tools = context.tools
    erased = await _record_of(context)
    done = _done_before(context)
    runs = await tools.eraser.runs()
    for number, run in enumerate(runs, 1):
        done += await _erase_from_run(tools, run, erased)
        context.progress.count(**asdict(done))
        context.progress.say(f"{number} of {len(runs)} runs looked through")
    context.progress.count(**asdict(done))
    context.progress.say(f"{done.rows} rows and {done.quarantined} refused rows removed in {done.objects} objects")
    return StepResult()


async def _record_of(context: StepContext) -> ErasedClients:
    """The client, remembered first of all: from here on, no pass brings the client back."""
    records, client = context.tools.records, ErasureParameters.read(context.run.parameters)
    until = (context.run.started_at or context.run.created_at) + CLOCK_TOLERANCE
    await records.keep(ErasureRecord(erasure_id=context.run_id, client_digest=client.client_digest, until=until))
    known = await records.erased_clients()
    return ErasedClients(known.salt, {client.digest: known.until[client.digest]})


async def _erase_from_run(tools: Tools, run: RunObjects, erased: ErasedClients) -> LakeErasure:
    stored = await _manifest_that_counts(tools, run)
    if stored is not None:
        stored = await _rewritten(tools, run, stored, erased)
        await _renew_receipt(tools, run, stored)
    return await tools.eraser.delete_rest(run, stored, erased)


async def _rewritten(tools: Tools, run: RunObjects, old: StoredManifest, erased: ErasedClients) -> StoredManifest:
    new = await tools.eraser.rewrite(run, old, erased)
    if new != old:
        is_loaded = await tools.warehouse.replace_manifest(run.place.run_id, new.reference)
        passing(Failpoint.MANIFEST_REPLACED)
        await tools.erasures.replace_manifest(old, new, is_loaded=is_loaded)
        passing(Failpoint.MANIFEST_REPLACED)
    return new


async def _renew_receipt(tools: Tools, run: RunObjects, stored: StoredManifest) -> None:
    """Of a load that has none yet we write it ourselves: whoever else does may still know the old manifest."""
    if await tools.eraser.receipt(run) is not None:
        await tools.eraser.renew_receipt(run, stored)
    elif load := await tools.warehouse.find_load(run.place.run_id):
        await tools.lake.keep_receipt(load.receipt)


async def _manifest_that_counts(tools: Tools, run: RunObjects) -> StoredManifest | None:
    """By the run's row; by its receipt where that row is lost; or the newest one, which a retry would take up."""
    named = await tools.erasures.saved_manifest(run.place.run_id)
    if named is None and (receipt := await tools.eraser.receipt(run)):
        named = ManifestReference(receipt.manifest_key, receipt.manifest_sha256)
    return await (tools.lake.find(run.place) if named is None else tools.lake.open(named))


def _done_before(context: StepContext) -> LakeErasure:
    step = next(step for step in context.run.steps if step.name == STEP)
    return LakeErasure(**{name: step.counts.get(name, 0) for name in ("objects", "rows", "quarantined")})
