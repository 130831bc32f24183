"""Recommend behind our own server: it fails as a test tells, and answers then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from afin.recommender.v1 import recommender_pb2 as pb
from services.recommender.access import RPCS
from services.runtime.errors import ServiceError
from services.runtime.server import GrpcService, grpc_server
from services.runtime.settings import ServiceSettings

NAME = "afin.recommender.v1.RecommenderService"


class ToldServer:
    """`errors`: of the next calls, in order."""

    def __init__(self) -> None:
        self.errors: list[ServiceError] = []
        self.calls = 0
        # A call waits for it, once it is there.
        self.entered, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def recommend(self, request: pb.RecommendRequest, context: Any) -> pb.RecommendResponse:
        """The error that is due, or an answer for the client."""
        self.calls += 1
        self.entered.set()
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        return pb.RecommendResponse(recommendation_id=request.client_id)

    @asynccontextmanager
    async def serving(self, **settings: object) -> AsyncIterator[str]:
        """The address, while it serves."""

        async def ready() -> None:
            return

        service = GrpcService(NAME, self._register, ready, RPCS)
        async with grpc_server([service], ServiceSettings(**settings)) as port:  # type: ignore[arg-type]
            yield f"127.0.0.1:{port}"

    def _register(self, server: Any) -> None:
        handler = grpc.unary_unary_rpc_method_handler(
            self.recommend,
            request_deserializer=pb.RecommendRequest.FromString,
            response_serializer=pb.RecommendResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, {"Recommend": handler}),))
