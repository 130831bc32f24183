"""Who may call what of the warehouse. Ingest writes, with an admin's key: for what admins ask it for, and as a leader.

A leader's epoch, once it was told, refuses all smaller ones for good, so that telling one is an admin's.
"""

from services.runtime.access.roles import ADMIN, OPERATE, READ, Role, Rpc, Rpcs

AS_LEADER = Rpc(Role.OPERATE, admin_fields=("leader_epoch",))

RPCS: Rpcs = {
    "AnnounceLeader": ADMIN,
    "LoadPayments": AS_LEADER,
    "LoadCompanies": Rpc(Role.OPERATE, admin_fields=("leader_epoch", "accept_fewer_companies")),
    "RecordCompaniesUpdate": AS_LEADER,
    "EraseClient": ADMIN,
    "ReplaceManifest": AS_LEADER,
    "GetReconciliationStart": READ,
    "ReportMissingPayments": AS_LEADER,
    "ListMissingPayments": READ,
    "GetLoad": READ,
    "GetWatermark": READ,
    "GetStatistics": READ,
    "GetTrainingSummary": READ,
    # What a client paid, when and to whom, is not for everybody who may ask for recommendations.
    "GetPaymentHistory": OPERATE,
    "ListClientPayments": OPERATE,
    "ListCompanies": READ,
    "GetCompanyHistory": READ,
}
