"""Calls to other services: each has a deadline; a service that is away is waited for, as every call can be repeated."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import grpc
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from services.ingest.workflow.errors import LeadershipLost, PeerRefused
from services.runtime.errors import FENCED, Unavailable, reason_of

# CANCELLED by the peer, not by us: its process ends.
LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
MAX_WAIT_SECONDS = 5
MAX_MESSAGE = 500

Answer = TypeVar("Answer")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """`patience`: how long a service may be away, counted from the first failure; the others: deadlines of a call."""

    patience: timedelta
    short: timedelta
    long: timedelta


async def call(peer: str, policy: CallPolicy, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """`ask()`, again and again while the peer is away. Raises Unavailable in the end, PeerRefused at once.

    LeadershipLost when the peer knows of a later leader.
    """
    patience = _Patience(policy.patience, peer)
    retrying = AsyncRetrying(
        stop=patience.is_over,
        wait=wait_random_exponential(multiplier=0.25, max=MAX_WAIT_SECONDS),
        retry=retry_if_exception(_is_lost),
        reraise=True,
    )
    try:
        async for attempt in retrying:
            with attempt:
                return await ask()
    except grpc.aio.AioRpcError as error:
        raise _translated(peer, policy, error) from error
    raise RuntimeError("tenacity returns or raises")


class _Patience:
    """Counts from the first failure: the answer itself may take long."""

    def __init__(self, length: timedelta, peer: str) -> None:
        self._length = length
        self._peer = peer
        self._deadline: float | None = None

    def is_over(self, state: RetryCallState) -> bool:
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self._length.total_seconds()
            log.warning("peer is away", peer=self._peer)
        return now >= self._deadline


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() in LOST


def _translated(
    peer: str, policy: CallPolicy, error: grpc.aio.AioRpcError
) -> Unavailable | PeerRefused | LeadershipLost:
    said = " ".join((error.details() or "").split())[:MAX_MESSAGE]
    if reason_of(error) == FENCED:
        return LeadershipLost(f"the {peer} says: {said}")
    if error.code() in LOST:
        return Unavailable(f"the {peer} was away for {policy.patience}: {said}; start it and retry the run")
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unavailable(f"the {peer} did not answer in time: {said}; look at its load and its log")
    return PeerRefused(error.code(), f"the {peer} answered {error.code().name}: {said}")
