"""Steps of `replay`: refused rows are validated once more. Nothing of it moves the watermark.

The share of bad rows is no reason to stop here: all of them were bad once, and most may still be.
"""

import asyncio
from contextlib import aclosing

from services.contracts.lake import latest
from services.ingest.domain.erasure import ErasedClients
from services.ingest.domain.sifting import Terms, sift
from services.ingest.workflow.errors import NotReplayable
from services.ingest.workflow.outputs import ReplayParameters, SavedOutput
from services.ingest.workflow.payments import load_payments
from services.ingest.workflow.saving import place_of, saved_of
from services.ingest.workflow.steps import StepContext, StepResult
from services.ingest.workflow.values import PassFacts, Place, StoredManifest, StoredParts
from services.runtime.errors import NotFound

REPLAY_STEP = "replay_quarantine_to_bucket"


async def replay_quarantine_to_bucket(context: StepContext) -> StepResult:
    """Sorts the refused rows of a run anew into the lake, by the rules and the clock of the request."""
    place = place_of(context.run, context.outputs)
    if place is None:
        raise RuntimeError("a replay has its place from the start")
    erased = await context.tools.records.erased_clients()
    stored = await context.tools.lake.find(place, erased.edition) or await _sort_anew(context, place, erased)
    return StepResult(saved_of(context, stored).to_json())


async def save_replayed_payments_to_db(context: StepContext) -> StepResult:
    """Loads the good ones."""
    return await load_payments(context, context.output(REPLAY_STEP, SavedOutput), moves_watermark=False)


async def _sort_anew(context: StepContext, place: Place, erased: ErasedClients) -> StoredManifest:
    lake, terms = context.tools.lake, Terms(context.run.logical_time)
    refused = await _refused(context)
    writer = lake.writer(place, context.attempt, StoredParts())
    read, newest = 0, None
    async with aclosing(lake.reread(refused)) as parts:
        async for rows in parts:
            sifted = erased.leave_out(await asyncio.to_thread(sift, rows, range(len(rows)), terms, read))
            await writer.write(sifted)
            read += len(rows)
            newest = latest(newest, sifted.newest)
            context.progress.count(read=read)
    return await writer.finish(PassFacts(None, terms.source_time, newest, erased.edition))


async def _refused(context: StepContext) -> StoredManifest:
    parameters = ReplayParameters.read(context.run.parameters)
    try:
        return await context.tools.lake.open(parameters.manifest)
    except NotFound as error:
        raise NotReplayable(
            f"the manifest of run {parameters.run_id} was replaced since, by an erasure, or swept; start a new replay"
        ) from error
