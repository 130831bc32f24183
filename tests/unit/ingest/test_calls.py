"""Calls to other services: who is away is waited for, who refuses is not, and each is told from the other."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import grpc
import pytest

from services.ingest.adapters.calls import CallPolicy, call
from services.ingest.workflow.errors import LeadershipLost, PeerRefused
from services.runtime.errors import DETAILS_TRAILER, FENCED, FailedPrecondition, Unavailable

SECOND = timedelta(seconds=1)
PATIENT = CallPolicy(timedelta(minutes=1), SECOND, SECOND)
IMPATIENT = CallPolicy(timedelta(0), SECOND, SECOND)


def answers(*codes: grpc.StatusCode | None) -> tuple[Callable[[], Awaitable[str]], list[str]]:
    """A call that fails with each code in turn, then answers; and what was asked of it."""
    asked: list[str] = []

    async def ask() -> str:
        asked.append("asked")
        code = codes[len(asked) - 1] if len(asked) <= len(codes) else None
        if code is not None:
            raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="no\nway")
        return "answer"

    return ask, asked


async def test_an_answer_is_an_answer() -> None:
    ask, asked = answers()

    assert (await call("warehouse", PATIENT, ask), len(asked)) == ("answer", 1)


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
async def test_a_service_that_is_away_is_asked_again(code: grpc.StatusCode) -> None:
    ask, asked = answers(code, code)

    assert (await call("warehouse", PATIENT, ask), len(asked)) == ("answer", 3)


async def test_patience_ends() -> None:
    ask, asked = answers(*[grpc.StatusCode.UNAVAILABLE] * 9)

    with pytest.raises(Unavailable, match="the indexer was away for 0:00:00: no way; start it"):
        await call("indexer", IMPATIENT, ask)

    assert len(asked) == 1


@pytest.mark.parametrize("code", [grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INTERNAL])
async def test_a_refusal_is_not_asked_again(code: grpc.StatusCode) -> None:
    ask, asked = answers(code)

    with pytest.raises(PeerRefused, match=f"the warehouse answered {code.name}: no way") as caught:
        await call("warehouse", PATIENT, ask)

    assert (caught.value.code, len(asked)) == (code, 1)


async def test_a_service_that_does_not_answer_in_time_is_unavailable() -> None:
    ask, asked = answers(grpc.StatusCode.DEADLINE_EXCEEDED)

    with pytest.raises(Unavailable, match="did not answer in time"):
        await call("warehouse", PATIENT, ask)

    assert len(asked) == 1


async def test_a_bug_of_ours_passes_through() -> None:
    async def ask() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await call("warehouse", PATIENT, ask)


async def test_a_peer_that_knows_a_later_leader_ends_this_one() -> None:
    details = FailedPrecondition("leader 1 was followed by leader 2", reason=FENCED).to_status().SerializeToString()
    trailer = grpc.aio.Metadata((DETAILS_TRAILER, details))

    async def ask() -> str:
        raise grpc.aio.AioRpcError(grpc.StatusCode.FAILED_PRECONDITION, grpc.aio.Metadata(), trailer, details="fenced")

    with pytest.raises(LeadershipLost, match="the warehouse says: fenced"):
        await call("warehouse", PATIENT, ask)
