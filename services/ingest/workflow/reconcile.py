"""Steps of `reconcile`: a full pass heals what the overlap could not see, and tells what the source does not show."""

from services.ingest.domain.window import all_days
from services.ingest.workflow.outputs import FullWindowOutput, SavedOutput
from services.ingest.workflow.payments import SAVE_STEP, load_payments
from services.ingest.workflow.saving import FULL_WINDOW_STEP, save_payments_of
from services.ingest.workflow.steps import StepContext, StepResult


async def get_first_payments_update(context: StepContext) -> StepResult:
    """Takes a window that holds every payment the warehouse may know."""
    start = await context.tools.warehouse.reconciliation_start()
    days = all_days(start.first_updated_at, context.run.logical_time, context.tools.windows)
    context.progress.say(f"all payments updated since {days.first.isoformat()}")
    window = FullWindowOutput(since=days.since, watermark=None, first_day=days.first, begun_sequence=start.sequence)
    return StepResult(window.to_json())


async def save_all_payments_to_bucket(context: StepContext) -> StepResult:
    """Reads them into the lake."""
    days = context.output(FULL_WINDOW_STEP, FullWindowOutput).days
    return StepResult((await save_payments_of(context, None, days)).to_json())


async def save_all_payments_to_db(context: StepContext) -> StepResult:
    """Loads them, and leaves the watermark where it is; what was not known was missed, and is healed now."""
    result = await load_payments(context, context.output(SAVE_STEP, SavedOutput), moves_watermark=False)
    if result.account is not None:
        context.progress.count(healed=result.account.new + result.account.changed + result.account.late)
    return result


async def report_missing_payments(context: StepContext) -> StepResult:
    """Has the warehouse keep which payments it holds and the pass did not show; nothing is deleted."""
    window = context.output(FULL_WINDOW_STEP, FullWindowOutput)
    rows = await context.tools.warehouse.report_missing(context.run_id, window.begun_sequence)
    context.progress.count(compared=rows.compared, missing=rows.missing)
    hint = f"; list them with ListMissingPayments load_id={context.run_id}" if rows.missing else ""
    context.progress.say(f"{rows.missing} of {rows.compared} payments are not in the source any more{hint}")
    return StepResult()
