"""Who may call what of the warehouse. Ingest writes, with an admin's key: for what admins ask it for."""

from services.runtime.access.roles import ADMIN, OPERATE, READ, Role, Rpc, Rpcs

RPCS: Rpcs = {
    "AnnounceLeader": OPERATE,
    "LoadPayments": OPERATE,
    "LoadCompanies": Rpc(Role.OPERATE, admin_fields=("accept_fewer_companies",)),
    "RecordCompaniesUpdate": OPERATE,
    "EraseClient": ADMIN,
    "ReplaceManifest": OPERATE,
    "GetReconciliationStart": READ,
    "ReportMissingPayments": OPERATE,
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
