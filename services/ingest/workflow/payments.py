"""Steps of `recommendations` and `backfill` up to the warehouse."""

from services.ingest.domain.window import since_day
from services.ingest.workflow.accounting import load_result
from services.ingest.workflow.errors import CompaniesNeverLoaded, WatermarkNotMoved
from services.ingest.workflow.outputs import BackfillParameters, SavedOutput, WindowOutput
from services.ingest.workflow.saving import WINDOW_STEP, save_payments_of
from services.ingest.workflow.steps import StepContext, StepResult

SAVE_STEP = "save_payments_to_bucket"


async def verify_bucket(context: StepContext) -> StepResult:
    """Fails before anything is read when the object store cannot be used."""
    await context.tools.lake.check()
    context.progress.say("the object store answers")
    return StepResult()


async def verify_companies(context: StepContext) -> StepResult:
    """Fails clearly when companies were never loaded."""
    companies = (await context.tools.warehouse.watermarks()).companies
    if companies is None:
        raise CompaniesNeverLoaded
    context.progress.say(f"companies are complete as of {companies.isoformat()}")
    return StepResult()


async def get_last_payments_update(context: StepContext) -> StepResult:
    """Takes the window of the pass from the watermark."""
    watermark = (await context.tools.warehouse.watermarks()).payments
    since = since_day(watermark, context.run.logical_time, context.tools.windows)
    origin = f"watermark {watermark.isoformat()}" if watermark else "no watermark yet"
    context.progress.say(f"payments updated after {since.isoformat()} ({origin})")
    return StepResult(WindowOutput(since=since, watermark=watermark).to_json())


async def save_payments_to_bucket(context: StepContext) -> StepResult:
    """Reads the payments of the window into the lake."""
    window = context.output(WINDOW_STEP, WindowOutput)
    return StepResult((await save_payments_of(context, window.watermark, None)).to_json())


async def save_backfill_to_bucket(context: StepContext) -> StepResult:
    """Reads the payments of the asked days into the lake."""
    days = BackfillParameters.read(context.run.parameters).days
    return StepResult((await save_payments_of(context, None, days)).to_json())


async def save_payments_to_db(context: StepContext) -> StepResult:
    """Loads them; the watermark moves in the same transaction."""
    saved = context.output(SAVE_STEP, SavedOutput)
    return await load_payments(context, saved, moves_watermark=True)


async def save_backfill_to_db(context: StepContext) -> StepResult:
    """Loads them, and leaves the watermark where it is."""
    saved = context.output(SAVE_STEP, SavedOutput)
    return await load_payments(context, saved, moves_watermark=False)


async def update_last_payments_update(context: StepContext) -> StepResult:
    """Makes sure, by the ledger, that the load moved the watermark as far as its rows reach."""
    reached = context.output(SAVE_STEP, SavedOutput).reached
    load = await context.tools.warehouse.find_load(context.run_id)
    watermark = None if load is None else load.watermark
    if reached is not None and (watermark is None or watermark < reached):
        raise WatermarkNotMoved(
            f"the warehouse's ledger has the watermark {watermark} for load {context.run_id}, "
            f"though its rows reach {reached.isoformat()}; the index was not built",
        )
    context.progress.say(f"watermark {watermark.isoformat()}" if watermark else "no watermark: no rows yet")
    return StepResult()


async def load_payments(context: StepContext, saved: SavedOutput, *, moves_watermark: bool) -> StepResult:
    """Loads what a step has saved, and keeps the receipt; a load that is under way is never broken off."""
    watermark = saved.reached if moves_watermark else None
    context.progress.say("loading")
    context.progress.commit()
    loaded = await context.tools.warehouse.load_payments(context.run_id, saved.manifest, watermark)
    await context.tools.lake.keep_receipt(loaded.receipt)
    return load_result(context, saved, loaded)
