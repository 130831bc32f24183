"""The console as an application, called without a socket; none of its services is there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest_asyncio
from starlette.types import ASGIApp

from console.app import create_app
from console.parts import Parts
from console.rendering import Renderer
from console.services import open_services
from console.sessions import Session, SessionSeal
from console.settings import ConsoleSettings
from services.runtime.clock import utc_now

NOWHERE = "127.0.0.1:1"


@dataclass(frozen=True)
class Console:
    """`client` keeps the cookie of `session`."""

    app: ASGIApp
    client: httpx.AsyncClient
    session: Session
    cookie: str


@pytest_asyncio.fixture
async def lonely() -> AsyncIterator[Console]:
    """A console without services, and somebody with a key."""
    settings = ConsoleSettings(
        ingest_address=NOWHERE,
        warehouse_address=NOWHERE,
        indexer_address=NOWHERE,
        recommender_address=NOWHERE,
        call_seconds=0.2,
    )
    seal = SessionSeal(None, timedelta(hours=1))
    session = seal.begin("afin_key")
    async with open_services(settings) as services:
        app = create_app(Parts(settings, services, seal, Renderer(utc_now), utc_now))
        cookies = {settings.session_cookie: seal.seal(session)}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", cookies=cookies) as client:
            yield Console(app, client, session, settings.session_cookie)
