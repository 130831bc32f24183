"""Who may call what of the recommender."""

from services.runtime.access.roles import OPERATE, READ, Rpcs

RPCS: Rpcs = {
    "Recommend": READ,
    "BatchRecommend": READ,
    "SimilarCompanies": READ,
    "GetIndexInfo": READ,
    "ReloadIndex": OPERATE,
}
