"""The step of `erasure` that takes a client out of the lake, run by run, of whatever age.

Of each run: first the rows that are left are written anew, then ledger, run and receipt name the new manifest, and only
then what it replaces is deleted. Wherever a process dies, a repetition goes on from what is named by then.
"""

from dataclasses import asdict, dataclass

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
    erasing = await _record_of(context)
    done = _done_before(context)
    runs = await tools.eraser.runs()
    for number, run in enumerate(runs, 1):
        done += await _erase_from_run(tools, run, erasing)
        context.progress.count(**asdict(done))
        context.progress.say(f"{number} of {len(runs)} runs looked through")
    context.progress.count(**asdict(done))
    context.progress.say(f"{done.rows} rows and {done.quarantined} refused rows removed in {done.objects} objects")
    return StepResult()


@dataclass(frozen=True, slots=True)
class _Erasing:
    """The client, and the edition of all erasures, this one included."""

    client: ErasedClients
    edition: str


async def _record_of(context: StepContext) -> _Erasing:
    """The client, remembered first of all: from here on, no pass brings the client back."""
    records, client = context.tools.records, ErasureParameters.read(context.run.parameters)
    until = (context.run.started_at or context.run.created_at) + CLOCK_TOLERANCE
    await records.keep(ErasureRecord(erasure_id=context.run_id, client_digest=client.client_digest, until=until))
    known = await records.erased_clients()
    return _Erasing(ErasedClients(known.salt, {client.digest: known.until[client.digest]}), known.edition)


async def _erase_from_run(tools: Tools, run: RunObjects, erasing: _Erasing) -> LakeErasure:
    named = await _named_manifest(tools, run)
    stored = await (tools.lake.find(run.place, None) if named is None else tools.lake.open(named))
    if stored is not None:
        # A retry would find one that nobody names, if it tells of this erasure.
        edition = erasing.edition if named is None else None
        new = await tools.eraser.rewrite(run, stored, erasing.client, edition)
        stored = await _in_place_of(tools, run, stored, new)
        await _renew_receipt(tools, run, stored)
    return await tools.eraser.delete_rest(run, stored, erasing.client)


async def _in_place_of(tools: Tools, run: RunObjects, old: StoredManifest, new: StoredManifest) -> StoredManifest:
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


async def _named_manifest(tools: Tools, run: RunObjects) -> ManifestReference | None:
    """The one that counts by the run's row, or by its receipt where that row is lost."""
    named = await tools.erasures.saved_manifest(run.place.run_id)
    if named is None and (receipt := await tools.eraser.receipt(run)):
        named = ManifestReference(receipt.manifest_key, receipt.manifest_sha256)
    return named


def _done_before(context: StepContext) -> LakeErasure:
    step = next(step for step in context.run.steps if step.name == STEP)
    return LakeErasure(**{name: step.counts.get(name, 0) for name in ("objects", "rows", "quarantined")})
