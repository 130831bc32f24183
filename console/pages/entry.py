"""Entering a key, and having it forgotten."""

import grpc
from starlette.responses import RedirectResponse, Response

from afin.ingest.v1 import ingest_pb2
from console.services import problem_of
from console.sessions import Session
from console.visit import Visit

MAX_KEY_LENGTH = 200


async def ask(visit: Visit) -> Response:
    """The form."""
    return visit.page("enter.html", problem="", back=_inside(visit.asked("back")))


async def enter(visit: Visit) -> Response:
    """Tries the key on a call that every role may make, and begins a session with it."""
    key, back = visit.sent("key"), _inside(visit.sent("back"))
    problem = await _problem(visit, key)
    if problem:
        return visit.page("enter.html", status=403, problem=problem, back=back)
    answer = RedirectResponse(back, status_code=303)
    visit.parts.keep(visit.parts.seal.begin(key), answer)
    return answer


async def leave(visit: Visit) -> Response:
    """Begins a session without a key."""
    answer = RedirectResponse("/enter", status_code=303)
    visit.parts.keep(visit.parts.seal.begin(), answer)
    return answer


async def _problem(visit: Visit, key: str) -> str:
    """Why the key is of no use; empty when it is."""
    if not key or len(key) > MAX_KEY_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
        return "this is no API key; it is one line that begins with afin_"
    caller = visit.caller_with(Session(key, ""))
    try:
        await caller.ask(caller.services.ingest.GetWatermark, ingest_pb2.GetWatermarkRequest())
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            return problem_of(error)
        # Whether the key is good nobody can tell now; what it is used for will.
    return ""


def _inside(back: str) -> str:
    """A path of ours to go back to, whatever was sent."""
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
