"""A recommender on a real socket, put together as its __main__ does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1 import recommender_pb2_grpc as rpc
from services.recommender.adapters.bundle_cache import BundleCache
from services.recommender.adapters.bundles import CachedBundles, PublishedBundles
from services.recommender.adapters.fresh_overlays import FreshOverlays
from services.recommender.search import Search
from services.recommender.servicer import FULL_NAME, RecommenderServicer
from services.recommender.settings import RecommenderSettings
from services.recommender.workflow import SnapshotKeeper
from services.runtime.clock import utc_now
from services.runtime.errors import DETAILS_TRAILER
from services.runtime.objects.store import ObjectStore
from services.runtime.server import thread_server

PATIENCE = timedelta(seconds=20)
# Long enough that only the first look and those that a test asks for take place.
RARELY = timedelta(hours=1)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(frozen=True)
class Recommender:
    """A client of a running recommender."""

    stub: "rpc.RecommenderServiceAsyncStub"
    health: Any  # the stub of the health service; its types leave Watch out
    address: str

    async def recommend(self, **request: object) -> pb.RecommendResponse:
        """Recommend with the fields given, ten results if nothing else is said."""
        return await self.stub.Recommend(pb.RecommendRequest(**{"max_results": 10, **request}), timeout=20)  # type: ignore[arg-type]

    async def reload(self) -> pb.ReloadIndexResponse:
        """Looks for a newer index now."""
        return await self.stub.ReloadIndex(pb.ReloadIndexRequest(), timeout=20)

    async def becomes(self, status: int, service: str = FULL_NAME) -> None:
        """Waits until health tells this of the service: SERVING or NOT_SERVING."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async for answer in self.health.Watch(health_pb2.HealthCheckRequest(service=service)):
                if answer.status == status:
                    return


@asynccontextmanager
async def serving(
    store: ObjectStore, cache_folder: Path, interval: timedelta = RARELY, max_per_category: int = 0
) -> AsyncIterator[Recommender]:
    """Serves what the store has published, looking for newer ones every `interval`."""
    cache = BundleCache(cache_folder)
    published = Search(PublishedBundles(store, cache, utc_now), interval, utc_now)
    cached = Search(CachedBundles(cache, utc_now), interval, utc_now)
    overlays = FreshOverlays(store, cache, utc_now)
    keeper = SnapshotKeeper(published, cached, interval, overlays=overlays)
    settings = RecommenderSettings(object_store_url="file:///unused", drain_seconds=5)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(keeper.keeping())
        port = await stack.enter_async_context(
            thread_server([RecommenderServicer(keeper, max_per_category).as_service()], settings)
        )
        address = f"127.0.0.1:{port}"
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
        yield Recommender(rpc.RecommenderServiceStub(channel), health_pb2_grpc.HealthStub(channel), address)


@asynccontextmanager
async def serving_published(
    store: ObjectStore, cache_folder: Path, max_per_category: int = 0
) -> AsyncIterator[Recommender]:
    """As `serving`, entered when the published index is in service."""
    async with serving(store, cache_folder, max_per_category=max_per_category) as recommender:
        await recommender.reload()
        yield recommender


@dataclass(frozen=True)
class Refused:
    """What a refused call tells: code, message, reason for programs, and the field that is wrong."""

    code: grpc.StatusCode
    message: str
    reason: str
    field: str


async def refusal(call: Awaitable[object]) -> Refused:
    """Awaits a call that must fail, and reads the google.rpc details of its error."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for key, value in caught.value.trailing_metadata() or ():
        if key == DETAILS_TRAILER:
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
                detail.Unpack(request)
    field = request.field_violations[0].field if request.field_violations else ""
    return Refused(caught.value.code(), caught.value.details() or "", info.reason, field)
