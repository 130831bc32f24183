"""What every page works with."""

import asyncio
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from console.rendering import Renderer
from console.services import Services
from console.sessions import Session, SessionSeal
from console.settings import ConsoleSettings
from services.runtime.clock import Clock

# Pages that follow something as it goes on, at once.
MAX_FOLLOWERS = 100


@dataclass(frozen=True, slots=True)
class Parts:
    """`stop`: set when the process ends, and with it what is followed; `followers`: room for so many."""

    settings: ConsoleSettings
    services: Services
    seal: SessionSeal
    renderer: Renderer
    clock: Clock
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    followers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_FOLLOWERS))

    def session_of(self, request: Request) -> Session | None:
        """The session that the browser kept; None where there is none, or it has ended."""
        return self.seal.open(request.cookies.get(self.settings.session_cookie))

    def keep(self, session: Session, response: Response) -> None:
        """Has the browser keep the session: out of reach of scripts, and not sent by forms of other sites."""
        response.set_cookie(
            self.settings.session_cookie,
            self.seal.seal(session),
            max_age=int(self.settings.session_hours * 3600),
            httponly=True,
            samesite="lax",
            secure=self.settings.is_secure,
        )
