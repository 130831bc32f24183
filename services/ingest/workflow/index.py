"""The last steps of `recommendations`: an index is built, and validation alone publishes it."""

from services.ingest.workflow.errors import IndexNotPublished
from services.ingest.workflow.outputs import IndexOutput
from services.ingest.workflow.steps import StepContext, StepResult

BUILD_STEP = "create_payments_index"
PUBLISH_STEP = "validate_payments_index"


async def create_payments_index(context: StepContext) -> StepResult:
    """Has the indexer build a version; its stages are the step's detail."""
    progress = context.progress

    def note(stage: str, detail: str) -> None:
        progress.say(f"{stage}: {detail}" if detail else stage)

    built = await context.tools.indexer.build(context.run_id, note)
    progress.count(
        companies=built.companies,
        indexed_companies=built.indexed_companies,
        clients=built.clients,
        training_payments=built.training_payments,
    )
    progress.say(f"index version {built.version}")
    return StepResult(IndexOutput(version=built.version).to_json())


async def validate_payments_index(context: StepContext) -> StepResult:
    """Has the version validated and published; one that does not pass fails the run and is kept."""
    version = context.output(BUILD_STEP, IndexOutput).version
    verdict = await context.tools.indexer.validate_and_publish(version)
    if not verdict.passed:
        raise IndexNotPublished(version, "; ".join(verdict.failed_checks) or "the indexer gives no check")
    if verdict.epoch is None:
        raise IndexNotPublished(version, "it passed, but the indexer names no publication; retry the run")
    context.progress.count(epoch=verdict.epoch)
    drift = f"; {verdict.drift}" if verdict.drift else ""
    context.progress.say(f"index version {version} published under epoch {verdict.epoch}{drift}")
    return StepResult()
