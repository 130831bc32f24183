"""The client for asyncio; made inside the running loop."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Self, TypeVar, Unpack, cast

import grpc

from afin.ingest.v1.ingest_pb2 import FeedbackEvent, RecordFeedbackResponse
from afin.ingest.v1.ingest_pb2_grpc import IngestServiceStub
from afin.recommender.v1 import recommender_pb2 as pb
from afin.recommender.v1.recommender_pb2_grpc import RecommenderServiceStub
from afin_client import requests
from afin_client.connecting import INGEST, RECOMMENDER, Tls, aio_channel, metadata_of
from afin_client.errors import AfinError, Closed, FailedCall, error_of
from afin_client.requests import FEEDBACK_TIMEOUT, TIMEOUT, SimilarWishes, Wishes
from afin_client.retrying import Attempts, Budget

Answer = TypeVar("Answer")


class AsyncAfinClient:
    """See AfinClient: the same, to be awaited."""

    def __init__(
        self,
        target: str,
        *,
        ingest: str | None = None,
        key: str | None = None,
        tls: Tls | None = None,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self._timeout = timeout
        self._metadata = metadata_of(key)
        self._budget = Budget()
        named = ((target, RECOMMENDER), (ingest, INGEST))
        self._channels = [aio_channel(address, service, tls) for address, service in named if address]
        self._closed = False
        self._recommender = RecommenderServiceStub(self._channels[0])
        self._ingest = IngestServiceStub(self._channels[1]) if ingest else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connections, and calls under way, which raise Closed."""
        self._closed = True
        async with AsyncExitStack() as stack:
            for channel in self._channels:
                stack.push_async_callback(channel.close)

    async def recommend(
        self, client_id: str, max_results: int = 10, *, timeout: timedelta | None = None, **wishes: Unpack[Wishes]
    ) -> pb.RecommendResponse:
        """Companies for a client, best first."""
        request = requests.for_client(client_id, max_results, wishes)
        return await self._call(self._recommender.Recommend, request, timeout)

    async def recommend_for_basket(
        self,
        company_codes: Iterable[str],
        max_results: int = 10,
        *,
        timeout: timedelta | None = None,
        **wishes: Unpack[Wishes],
    ) -> pb.RecommendResponse:
        """Companies as for a client that had paid these."""
        request = requests.for_basket(company_codes, max_results, wishes)
        return await self._call(self._recommender.Recommend, request, timeout)

    async def batch(
        self, asked: Iterable[pb.RecommendRequest], *, timeout: timedelta | None = None
    ) -> pb.BatchRecommendResponse:
        """Several requests in one call, answered in their order."""
        return await self._call(self._recommender.BatchRecommend, requests.batch(asked), timeout)

    async def similar(
        self,
        company_code: str,
        max_results: int = 10,
        *,
        timeout: timedelta | None = None,
        **wishes: Unpack[SimilarWishes],
    ) -> pb.SimilarCompaniesResponse:
        """Companies paid by the same kind of clients. NotFound when the index does not know the company."""
        request = requests.similar(company_code, max_results, wishes)
        return await self._call(self._recommender.SimilarCompanies, request, timeout)

    async def feedback(
        self, events: Iterable[FeedbackEvent], *, timeout: timedelta = FEEDBACK_TIMEOUT
    ) -> RecordFeedbackResponse:
        """Tells up to 1000 events; `refused` of the answer names those that are not taken."""
        if self._ingest is None:
            raise requests.no_ingest()
        return await self._call(self._ingest.RecordFeedback, requests.told(events), timeout)

    async def _call(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Any, Answer]", request: Any, timeout: timedelta | None
    ) -> Answer:
        attempts = Attempts(timeout or self._timeout, self._budget)
        failure: AfinError
        while True:
            try:
                answer: Answer = await method(request, timeout=attempts.time_left(), metadata=self._metadata)
            except grpc.aio.AioRpcError as error:
                failure = error_of(cast("FailedCall", error))
            except (asyncio.CancelledError, grpc.aio.UsageError):
                # So grpc ends, and refuses, calls of a channel that is closed; a task of the caller's may end as well.
                if not self._closed or _is_cancelled():
                    raise
                failure = Closed()
            else:
                attempts.succeeded()
                return answer
            if self._closed:
                raise Closed
            # Outside the handler: the error that a caller sees says all, and needs no second traceback.
            await asyncio.sleep(attempts.pause_after(failure))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
