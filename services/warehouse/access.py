"""Who may call what of the warehouse. What writes is ingest's to call; its key is an admin's, for erasures."""

from services.runtime.access.roles import ADMIN, OPERATE, READ, Rpcs

RPCS: Rpcs = {
    "AnnounceLeader": OPERATE,
    "LoadPayments": OPERATE,
    "LoadCompanies": OPERATE,
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
