"""From what was read and what the warehouse says of the load to the run's account: not one row may be unexplained."""

from services.ingest.domain.account import Account
from services.ingest.workflow.outputs import SavedOutput
from services.ingest.workflow.steps import StepContext, StepResult
from services.ingest.workflow.values import LoadedRows


def load_result(context: StepContext, saved: SavedOutput, loaded: LoadedRows) -> StepResult:
    """The loading step's result. ValueError, which fails the run as a bug, when the figures do not agree."""
    account = Account(
        read=saved.rows + saved.quarantined,
        new=loaded.new,
        changed=loaded.changed,
        unchanged=loaded.unchanged,
        late=loaded.late,
        quarantined=saved.quarantined,
    )
    context.progress.count(**account.as_counts())
    if loaded.retired:
        context.progress.count(retired=loaded.retired)
    already = ", already committed by an earlier attempt" if loaded.replayed else ""
    context.progress.say(f"{loaded.rows} rows loaded, {loaded.new} new and {loaded.changed} changed{already}")
    return StepResult(account=account)
