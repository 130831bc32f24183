"""Steps that read a dataset of the source into the lake, and judge what was refused on the way."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from services.contracts.lake import Dataset
from services.ingest.domain.erasure import ErasedClients
from services.ingest.domain.page_rows import PageRows
from services.ingest.domain.runs import Outputs, Pipeline, Run
from services.ingest.domain.sifting import Sifted, Terms, may_refuse, sift
from services.ingest.domain.window import DayRange, is_ahead, reached_watermark
from services.ingest.workflow.errors import SourceRefuses, TooManyBadRows
from services.ingest.workflow.outputs import BackfillParameters, SavedOutput, WindowOutput
from services.ingest.workflow.reading import Pass, read_into_lake
from services.ingest.workflow.steps import StepContext
from services.ingest.workflow.values import Page, Place, StoredManifest

WINDOW_STEP = "get_last_payments_update"
FULL_WINDOW_STEP = "get_first_payments_update"
# Below this many a share says little: one bad row of two is no reason to stop.
MIN_BAD_ROWS = 20


def place_of(run: Run, outputs: Outputs) -> Place | None:
    """Where a run's rows stand in the lake; None while its window is not known yet. The same at every attempt."""
    run_id = str(run.run_id)
    if run.pipeline in (Pipeline.COMPANIES, Pipeline.REPLAY):
        dataset: Dataset = "companies" if run.pipeline is Pipeline.COMPANIES else "payments"
        return Place(dataset, run.logical_time.astimezone(UTC).date(), run_id)
    if run.pipeline is Pipeline.BACKFILL:
        return Place("payments", BackfillParameters.read(run.parameters).days.since, run_id)
    window = outputs.get(WINDOW_STEP) or outputs.get(FULL_WINDOW_STEP)
    return None if window is None else Place("payments", WindowOutput.read(window).since, run_id)


def saved_output(outputs: Outputs) -> SavedOutput | None:
    """What the step that read the source left; None before it succeeded."""
    found = (output for output in outputs.values() if "manifest_key" in output)
    return next((SavedOutput.read(output) for output in found), None)


async def save_companies_of(context: StepContext) -> SavedOutput:
    """Reads the whole catalogue."""
    tools, place = context.tools, _place(context)
    one = Pass(place, "", None, tools.source.companies(), _sift_companies, _go_on)
    stored = await read_into_lake(one, context)
    await _require_good_rows(context, stored)
    return saved_of(context, stored)


async def save_payments_of(context: StepContext, watermark: datetime | None, days: DayRange | None) -> SavedOutput:
    """Reads the payments of the run's window; only those of `days`, where they are given."""
    tools, place = context.tools, _place(context)
    # Erasures have the house to themselves: none begins while this step works.
    erased = await tools.records.erased_clients()
    fetch, begin = tools.source.payments(place.day), partial(_require_past, watermark)
    sifting = partial(sift_payments, days, erased)
    one = Pass(place, erased.edition, place.day, fetch, sifting, begin)
    stored = await read_into_lake(one, context)
    await _require_good_rows(context, stored)
    return saved_of(context, stored)


def _place(context: StepContext) -> Place:
    place = place_of(context.run, context.outputs)
    if place is None:
        raise RuntimeError("the window is taken before anything is read")
    return place


async def _require_good_rows(context: StepContext, stored: StoredManifest) -> None:
    refused = stored.manifest.quarantined
    share = refused / max(stored.manifest.rows + refused, 1)
    if refused >= MIN_BAD_ROWS and share > context.tools.reading.max_quarantine_share:
        raise TooManyBadRows(await _complaint(context, stored, share))


def saved_of(context: StepContext, stored: StoredManifest) -> SavedOutput:
    """What a step leaves that has saved rows."""
    manifest, progress = stored.manifest, context.progress
    read = manifest.rows + manifest.quarantined
    progress.count(read=read, quarantined=manifest.quarantined, parts=len(manifest.parts))
    progress.say(f"{manifest.rows} rows in {len(manifest.parts)} parts, {manifest.quarantined} quarantined")
    reached = reached_watermark(manifest.newest_updated_at, manifest.source_time)
    return SavedOutput(
        manifest_key=stored.key,
        manifest_sha256=stored.sha256,
        rows=manifest.rows,
        quarantined=manifest.quarantined,
        reached=reached,
    )


async def _complaint(context: StepContext, stored: StoredManifest, share: float) -> str:
    manifest = stored.manifest
    reason, count = next(iter((await context.tools.lake.reasons(stored)).items()))
    return (
        f"{manifest.quarantined} of {manifest.rows + manifest.quarantined} rows ({share:.1%}) were refused, most often "
        f"({count}) because {reason}; nothing was loaded. See them with ListQuarantinedRows run_id={context.run_id}; "
        "have the source mended and start a new run, or raise INGEST_MAX_QUARANTINE_SHARE and retry this one"
    )


async def _sift_companies(page: Page, kept: Sequence[int], first_position: int) -> Sifted:
    return await _sift(page.rows, kept, Terms(page.source_time), first_position)


async def sift_payments(
    days: DayRange | None, erased: ErasedClients, page: Page, kept: Sequence[int], first_position: int
) -> Sifted:
    """See Pass."""
    sifted = await _sift(page.rows, kept, Terms(page.source_time, days), first_position)
    return await asyncio.to_thread(erased.leave_out, sifted) if erased.until else sifted


async def _sift(rows: PageRows, kept: Sequence[int], terms: Terms, first_position: int) -> Sifted:
    """Good rows are sifted in less time than the way to another thread takes."""
    work = partial(sift, rows, kept, terms, first_position)
    return await asyncio.to_thread(work) if may_refuse(rows, terms) else work()


def _require_past(watermark: datetime | None, source_time: datetime) -> None:
    if watermark is not None and is_ahead(watermark, source_time):
        raise SourceRefuses(
            f"the watermark {watermark.isoformat()} lies beyond the source's clock {source_time.isoformat()}; "
            "rows between the two would be missed: set the clock, or the warehouse's watermark, right"
        )


def _go_on(_source_time: datetime) -> None:
    """The catalogue can be read at any time."""
