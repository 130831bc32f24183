"""What stands between browsers and the pages: hosts, sizes, where a form comes from, and the headers of answers."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_FORM_BYTES = 64 * 1024
MAX_FIELDS = 60
HEALTH = "/healthz"
# All of it is ours: no inline script or style, nothing from elsewhere, no frame around it, no form to elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
# Pages tell of clients and of work under way: nothing of them stays in a cache.
PRIVATE = (b"cache-control", b"no-store")
OURS_TO_KEEP = (b"cache-control", b"public, max-age=3600")


class Guard:
    """Refuses requests to hosts that are not ours, which is how foreign pages reach a local server (DNS rebinding), and
    adds our headers to every answer.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], *, is_secure: bool) -> None:
        self._app = app
        self._hosts = hosts
        self._headers = list(HEADERS.items())
        if is_secure:
            self._headers.append((b"strict-transport-security", b"max-age=31536000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # A refusal is a page of somebody's session, also below /static/.
                is_file = scope["path"].startswith("/static/") and message["status"] in {200, 206, 304}
                caching = OURS_TO_KEEP if is_file else PRIVATE
                message["headers"] = [*message.get("headers", ()), *self._headers, caching]
            await send(message)

        if scope["path"] != HEALTH and _host(scope) not in self._hosts:
            refusal = PlainTextResponse("this name is not one that the console answers to; see CONSOLE_HOSTS\n", 421)
            await refusal(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)


def require_own_origin(request: Request) -> None:
    """Raises HTTPException (403) for a form that another site's page sent."""
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host")
    if fetched not in {"same-origin", "none"} or foreign:
        raise HTTPException(403, "this form came from another site; open the page here and send it again")


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises HTTPException for one that is too long, or is no form of ours."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "forms are sent as application/x-www-form-urlencoded")
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_FORM_BYTES:
                raise HTTPException(413, f"a form holds at most {MAX_FORM_BYTES} bytes")
    except ClientDisconnect:
        raise HTTPException(400, "the form did not come whole") from None
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None


def _host(scope: Scope) -> str:
    told = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1").lower()
    return told.rpartition(":")[0] if told.rpartition(":")[2].isdigit() else told
