"""What Prometheus sees of the recommender. No label tells of a client."""

from itertools import product

from prometheus_client import Counter, Gauge

from services.contracts.variants import ROLES
from services.recommender.domain.in_service import InService
from services.recommender.domain.recommending import Strategy

RECOMMENDATIONS = Counter(
    "afin_recommender_recommendations_total",
    "Lists given, by the strategy of the whole list and by who gave it: the main version, or a challenger.",
    ["strategy", "variant"],
)
# From zero on: what comes first must show as an increase.
GIVEN = {
    (strategy, role): RECOMMENDATIONS.labels(strategy.name.lower(), role) for strategy, role in product(Strategy, ROLES)
}
CHALLENGER_SHARE = Gauge(
    "afin_recommender_challenger_share",
    "Share of the clients that an experiment's challenger answers; 0 without one.",
    multiprocess_mode="livemin",
)
CHALLENGER_MISSING = Gauge(
    "afin_recommender_challenger_missing",
    "1 while the challenger of the running experiment cannot be served, and the main version answers its clients.",
    multiprocess_mode="livemax",
)
EPOCH = Gauge(
    "afin_recommender_index_epoch", "Epoch of the index in service; 0 without one.", multiprocess_mode="livemin"
)
LOADED = Gauge(
    "afin_recommender_snapshot_loaded_timestamp_seconds",
    "When this process took the index in service; 0 without one.",
    multiprocess_mode="livemin",
)
RELOADS = Counter(
    "afin_recommender_reloads_total",
    "Looks for a newer index: taken, unchanged, refused, unavailable (store or disk) or failed (a bug).",
    ["outcome"],
)
for _outcome in ("taken", "unchanged", "refused", "unavailable", "failed"):
    RELOADS.labels(_outcome)
PUBLISHED = Gauge(
    "afin_recommender_index_published_timestamp_seconds",
    "When the index in service was published; 0 without one.",
    multiprocess_mode="livemin",
)
DATA = Gauge(
    "afin_recommender_index_watermark_timestamp_seconds",
    "Up to when the index in service knows payments; 0 without one.",
    multiprocess_mode="livemin",
)
FRESH_CLIENTS = Gauge(
    "afin_recommender_fresh_clients",
    "Clients answered from histories that are newer than the index in service.",
    multiprocess_mode="livemin",
)
FRESH_BARRED = Gauge(
    "afin_recommender_fresh_barred_companies",
    "Companies that were retired or merged since the index in service was built.",
    multiprocess_mode="livemin",
)
FRESH_CHANGED = Gauge(
    "afin_recommender_fresh_changed_timestamp_seconds",
    "Commit of the newest load whose payments are known beside the index in service; 0 without any.",
    multiprocess_mode="livemin",
)
FRESH_REFUSED = Counter("afin_recommender_fresh_refused_total", "Objects of fresh histories that were damaged.")


def show_overlay(index: InService) -> None:
    """Tells of what is newer than the main version in service."""
    fresh = index.main.fresh
    FRESH_CLIENTS.set(len(fresh.clients.keys))
    FRESH_BARRED.set(len(fresh.barred))
    FRESH_CHANGED.set(fresh.changed_at.timestamp() if fresh.changed_at else 0)


def show_in_service(index: InService) -> None:
    """Tells of the index that was taken into service."""
    EPOCH.set(index.epoch)
    LOADED.set(index.main.loaded_at.timestamp())
    PUBLISHED.set(index.main.publication.published_at.timestamp())
    watermark = index.main.manifest.watermark
    DATA.set(watermark.timestamp() if watermark else 0)
    CHALLENGER_SHARE.set(index.challenger_share)
    CHALLENGER_MISSING.set(bool(index.problem))
