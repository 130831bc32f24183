"""The HTTP interface: GET /payments, /companies and /healthz; every answer is JSON, errors are {"error": message}."""

from typing import cast

import asyncpg
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.source.database import DATABASE_AWAY
from demo.source.pages import companies_page, payments_page
from demo.source.parameters import BadParameterError, read_page, read_updated_after

HEALTH_SECONDS = 2.0

log = structlog.get_logger(__name__)


class SourceApi:
    """The endpoints over one pool of connections; `max_limit` caps the rows of a page."""

    def __init__(self, pool: asyncpg.Pool, max_limit: int) -> None:
        self._pool = pool
        self._max_limit = max_limit

    async def payments(self, request: Request) -> Response:
        """The payments updated after midnight UTC of the day `updated_at`, by id and company_code."""
        updated_after = read_updated_after(request.query_params)
        page = read_page(request.query_params, self._max_limit)
        return _json(await payments_page(self._pool, updated_after, page.limit, page.offset))

    async def companies(self, request: Request) -> Response:
        """The catalogue, by id."""
        page = read_page(request.query_params, self._max_limit)
        return _json(await companies_page(self._pool, page.limit, page.offset))

    async def healthz(self, _: Request) -> Response:
        """200 when the database answers in time."""
        await self._pool.fetchval("SELECT 1", timeout=HEALTH_SECONDS)
        return _json('{"status":"ok"}')


def create_app(pool: asyncpg.Pool, max_limit: int) -> Starlette:
    """The ASGI application."""
    api = SourceApi(pool, max_limit)
    routes = [
        Route("/payments", api.payments),
        Route("/companies", api.companies),
        Route("/healthz", api.healthz),
    ]
    handlers = {
        BadParameterError: _bad_parameter,
        HTTPException: _http_error,
        Exception: _bug,
        **dict.fromkeys(DATABASE_AWAY, _database_away),
    }
    return Starlette(routes=routes, exception_handlers=handlers)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status)


async def _bad_parameter(_: Request, error: Exception) -> Response:
    return _error(400, str(error))


async def _http_error(_: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)
    return _error(refused.status_code, refused.detail)


async def _bug(_: Request, __: Exception) -> Response:
    return _error(500, "internal error")


async def _database_away(request: Request, error: Exception) -> Response:
    log.warning("database does not answer", path=request.url.path, error=type(error).__name__)
    return _error(503, "the database does not answer; try again later")
