"""What a person is told when a page cannot be shown: which HTTP status, and what to do."""

from typing import Any

import grpc

from console.services import problem_of

STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: (400, "This was not understood"),
    grpc.StatusCode.NOT_FOUND: (404, "There is no such thing"),
    grpc.StatusCode.PERMISSION_DENIED: (403, "Your key may not do this"),
    grpc.StatusCode.FAILED_PRECONDITION: (409, "This cannot be done now"),
    grpc.StatusCode.ALREADY_EXISTS: (409, "This was asked for before, with something else"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (503, "The service is busy"),
    grpc.StatusCode.UNAVAILABLE: (503, "The service does not answer"),
    grpc.StatusCode.DEADLINE_EXCEEDED: (504, "The service did not answer in time"),
    grpc.StatusCode.DATA_LOSS: (502, "What is stored is damaged"),
}
HINTS = {
    400: "Go back, mend it, and send it again.",
    403: "Enter a key with the role that is needed.",
    503: "Try again in a moment; the page System tells which service is away.",
    504: "Try again in a moment; the page System tells which service is away.",
}


def refusal_of(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """What the template `refusal.html` shows of a failed call."""
    status, title = STATUSES.get(error.code(), (502, "The service failed"))
    return {"status": status, "title": title, "problem": problem_of(error), "hint": HINTS.get(status, "")}
