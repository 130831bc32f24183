"""The web application: each route opens the session, checks where a form comes from, and tells failed calls."""

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast
from urllib.parse import quote

import grpc
import structlog
from prometheus_client import Counter, Histogram
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console.parts import Parts
from console.refusals import refusal_of
from console.rendering import STATIC
from console.routes import ROUTES
from console.security import HEALTH, Guard, read_form, require_own_origin
from console.sessions import Session
from console.visit import Page, Visit

ANSWERED = Counter("afin_console_requests_total", "Pages answered.", ["page", "method", "status"])
SECONDS = Histogram("afin_console_request_seconds", "Time to make a page.", ["page", "method"])

log = structlog.get_logger(__name__)


def create_app(parts: Parts) -> ASGIApp:
    """The ASGI application with all its pages."""
    pages = [Route(path, _endpoint(parts, page, path), methods=[method]) for method, path, page in ROUTES]
    static = Mount("/static", StaticFiles(directory=STATIC))
    handlers = {HTTPException: _refused(parts), Exception: _failed}
    app = Starlette(routes=[Route(HEALTH, _health), static, *pages], exception_handlers=handlers)
    return Guard(app, parts.settings.known_hosts, is_secure=parts.settings.is_secure)


def _endpoint(parts: Parts, page: Page, path: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        began, status = time.perf_counter(), 500
        try:
            response = await _visit(parts, page, request)
            status = response.status_code
        except HTTPException as refused:
            status = refused.status_code
            raise
        finally:
            SECONDS.labels(path, request.method).observe(time.perf_counter() - began)
            ANSWERED.labels(path, request.method, status).inc()
        return response

    return answer


async def _visit(parts: Parts, page: Page, request: Request) -> Response:
    opened = parts.session_of(request)
    session = opened or parts.seal.begin()
    form = await read_form(request) if request.method == "POST" else {}
    if request.method == "POST":
        require_own_origin(request)
        if opened is None or not session.allows(form.get("token", "")):
            raise HTTPException(403, "the page was open for too long; open it again and send the form once more")
    visit = Visit(request, session, parts, form)
    try:
        response = await page(visit)
    except grpc.aio.AioRpcError as error:
        response = _failed_call(visit, error)
    # A page that began another session has said so itself.
    if opened is None and "set-cookie" not in response.headers:
        parts.keep(session, response)
    return response


def _failed_call(visit: Visit, error: grpc.aio.AioRpcError) -> Response:
    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
        back = visit.request.url.path if visit.request.method == "GET" else "/"
        return RedirectResponse(f"/enter?back={quote(back)}", status_code=303)
    told = refusal_of(error)
    log.info("call refused", code=error.code().name, status=told["status"])
    return visit.page("refusal.html", **told)


def _refused(parts: Parts) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        refused = cast("HTTPException", error)
        visit = Visit(request, parts.session_of(request) or Session("", ""), parts)
        title = HTTPStatus(refused.status_code).phrase
        page = visit.page("refusal.html", status=refused.status_code, title=title, problem=refused.detail, hint="")
        page.headers.update(refused.headers or {})
        return page

    return answer


async def _failed(_: Request, error: Exception) -> Response:
    log.error("page failed", exc_info=error)
    return PlainTextResponse("The console failed; its log tells more.\n", status_code=500)


async def _health(_: Request) -> Response:
    return PlainTextResponse("SERVING\n")
