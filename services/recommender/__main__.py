"""`python -m services.recommender`: serves recommendations from the newest published index."""

import asyncio
import gc
import os
from contextlib import AsyncExitStack
from datetime import timedelta

from prometheus_client import REGISTRY

from services.recommender.adapters.bundle_cache import BundleCache
from services.recommender.adapters.bundles import CachedBundles, PublishedBundles
from services.recommender.adapters.fresh_overlays import FreshOverlays
from services.recommender.search import Search
from services.recommender.servicer import RecommenderServicer
from services.recommender.settings import RecommenderSettings
from services.recommender.workflow import SnapshotKeeper
from services.runtime.clock import utc_now
from services.runtime.freed_memory import return_freed_memory
from services.runtime.lifecycle import run_until_stopped
from services.runtime.objects.opening import open_object_store
from services.runtime.processes import run_in_processes, shared_port
from services.runtime.server import thread_server
from services.runtime.settings import load_settings
from services.runtime.telemetry import telemetry

# Before a process that shares its port listens; without an index it then says so as any other does.
FIRST_LOOK_PATIENCE = timedelta(seconds=30)


def main() -> None:
    """Exit code 0 after SIGTERM or SIGINT, 2 for wrong settings."""
    settings = load_settings(RecommenderSettings)
    port = shared_port(os.environ)
    if port is None and settings.processes > 1:
        run_in_processes("recommender", settings, settings.processes)
        return
    return_freed_memory()
    with telemetry("recommender", settings, REGISTRY if port is None else None):
        run_until_stopped(lambda stop: _serve(settings, port, stop), is_child=port is not None)


async def _serve(settings: RecommenderSettings, port: int | None, stop: asyncio.Event) -> None:
    store = open_object_store(settings.object_store_url, settings.object_store_endpoint_url)
    cache = BundleCache(settings.cache)
    interval = settings.reload_interval
    published = Search(PublishedBundles(store, cache, utc_now), interval, utc_now)
    cached = Search(CachedBundles(cache, utc_now), interval, utc_now)
    keeper = SnapshotKeeper(published, cached, interval, overlays=FreshOverlays(store, cache, utc_now))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(keeper.keeping())
        if port is not None:
            await keeper.first_look(FIRST_LOOK_PATIENCE)
        # What was made until now stays: no collection of garbage, in which all calls wait, need look at it again.
        gc.collect()
        gc.freeze()
        servicer = RecommenderServicer(keeper, settings.max_per_category)
        await stack.enter_async_context(thread_server([servicer.as_service()], settings, port))
        await stop.wait()


if __name__ == "__main__":
    main()
