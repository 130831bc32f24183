"""Who makes the call at work, for the few methods to which it matters; known in asyncio servers alone."""

from contextvars import ContextVar

from services.runtime.access.keys import Principal
from services.runtime.access.roles import Role

# Who calls where nobody is asked: they may do everything.
ANYBODY = Principal("anybody", Role.ADMIN, float("inf"))

CALLER: ContextVar[Principal] = ContextVar("caller", default=ANYBODY)


def holder(peer: str) -> str:
    """By whom what a caller may hold is counted: its name, or its host (of `peer`) where no name is asked for."""
    caller = CALLER.get()
    return caller.name if caller is not ANYBODY else peer.rpartition(":")[0]
