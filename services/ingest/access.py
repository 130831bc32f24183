"""Who may call what of ingest."""

from services.runtime.access.roles import ADMIN, OPERATE, READ, Role, Rpc, Rpcs

RPCS: Rpcs = {
    # The catalogue's safety check is an admin's to override.
    "RunPipeline": Rpc(Role.OPERATE, admin_fields=("accept_fewer_companies",)),
    "Backfill": OPERATE,
    "ReplayQuarantine": OPERATE,
    "RetryRun": OPERATE,
    "CancelRun": OPERATE,
    "GetRun": READ,
    "ListRuns": READ,
    "WatchRun": READ,
    "GetWatermark": READ,
    "ListQuarantineReasons": READ,
    # Raw rows: they name clients and what they paid.
    "ListQuarantinedRows": OPERATE,
    "EraseClient": ADMIN,
    "GetErasure": READ,
    "ListErasures": READ,
    "ListSchedules": READ,
    "PauseSchedule": OPERATE,
    "ResumeSchedule": OPERATE,
    "RecordFeedback": READ,
    "GetFeedbackReport": READ,
}
