"""Who may call what of the indexer."""

from services.runtime.access.roles import ADMIN, OPERATE, READ, Role, Rpc, Rpcs

RPCS: Rpcs = {
    "BuildIndex": OPERATE,
    # Ingest publishes what passes the gate; to publish what does not is an admin's.
    "ValidateIndex": Rpc(Role.OPERATE, admin_fields=("override_reason",)),
    "RollbackIndex": ADMIN,
    "StartExperiment": ADMIN,
    "ChangeExperiment": ADMIN,
    "StopExperiment": ADMIN,
    "GetIndexVersion": READ,
    "ListIndexVersions": READ,
    "ListPublications": READ,
    "CompareIndexVersions": READ,
    "PruneIndexVersions": ADMIN,
    "RefreshHistories": OPERATE,
    "GetCompanyMap": READ,
    "RecommendFromVersion": READ,
}
