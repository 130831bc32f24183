"""Whether a process of the stack answers yet."""

from datetime import timedelta

import aiohttp
import grpc
from grpc_health.v1 import health_pb2

from services.runtime.channels import open_channel

PATIENCE = timedelta(seconds=2)


async def grpc_is_ready(address: str, service: str) -> bool:
    """True when the health service says SERVING for `service` (`""`: the process itself)."""
    async with open_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(
                health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE.total_seconds(), wait_for_ready=True
            )
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def http_is_ready(url: str) -> bool:
    """True when a GET answers 200."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE.total_seconds())) as session,
            session.get(url) as response,
        ):
            return response.status == 200
    except (TimeoutError, aiohttp.ClientError, OSError):
        return False
