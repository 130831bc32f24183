"""A publication tells how its index is searched."""

from pathlib import Path

from services.contracts.bundle import Publication, publication_key
from services.recommender.adapters.bundle_cache import BundleCache
from services.recommender.adapters.bundles import PublishedBundles
from services.recommender.domain.recommending import recommend
from services.recommender.domain.requests import RecommendationRequest
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import GROUPS, client_of, publish_world


def test_an_index_that_is_searched_exactly_answers_as_through_annoy(
    object_store: LocalObjectStore, tmp_path: Path
) -> None:
    through_annoy = publish_world(object_store, tmp_path / "bundle", 1)
    exact = through_annoy.model_copy(update={"epoch": 2, "search": "exact"})
    object_store.put_if_absent(publication_key(2), exact.to_bytes())
    bundles = PublishedBundles(object_store, BundleCache(tmp_path / "cache"), utc_now)

    first, second = bundles.load(1), bundles.load(2)

    for group in range(GROUPS):
        request = RecommendationRequest(5, client_id=client_of(group))
        assert recommend(first, request) == recommend(second, request)
    assert first.factors.nearest is not None
    assert second.factors.nearest is None


def test_a_publication_without_a_word_about_it_is_searched_through_annoy() -> None:
    told = {"epoch": 1, "version": "v", "manifest_sha256": "0" * 64, "published_at": utc_now(), "reason": "why"}

    assert Publication.model_validate(told).search == "annoy"
