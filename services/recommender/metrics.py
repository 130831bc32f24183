"""What Prometheus sees of the recommender. No label tells of a client."""

from prometheus_client import Counter, Gauge

RECOMMENDATIONS = Counter(
    "afin_recommender_recommendations_total", "Lists given, by the strategy of the whole list.", ["strategy"]
)
EPOCH = Gauge("afin_recommender_index_epoch", "Epoch of the index in service; 0 without one.")
LOADED = Gauge("afin_recommender_snapshot_loaded_timestamp_seconds", "When the index in service was loaded.")
RELOADS = Counter(
    "afin_recommender_reloads_total",
    "Looks for a newer index: taken, unchanged, refused, unavailable (store or disk) or failed (a bug).",
    ["outcome"],
)
