"""One request as a page sees it: who asks, what they sent, whom to ask, and how to answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console.parts import Parts
from console.services import Caller
from console.sessions import Session


@dataclass(frozen=True, slots=True)
class Visit:
    """`form`: the fields of a POST, empty otherwise."""

    request: Request
    session: Session
    parts: Parts
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def caller(self) -> Caller:
        """Calls in this person's name."""
        return self.caller_with(self.session)

    @property
    def wants_fragment(self) -> bool:
        """Our script asks for the changed part of a page alone."""
        return self.request.headers.get("x-fragment") == "1"

    def caller_with(self, session: Session) -> Caller:
        """Calls in the name of another session."""
        patience = timedelta(seconds=self.parts.settings.call_seconds)
        return Caller(self.parts.services, session.key, patience)

    def part(self, name: str) -> str:
        """What stands in the path under this name."""
        return str(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """A field of the query, stripped; empty when it is not there."""
        return self.request.query_params.get(name, "").strip()

    def sent(self, name: str) -> str:
        """A field of the form, stripped; empty when it is not there."""
        return self.form.get(name, "").strip()

    def fragment(self, template: str, **values: Any) -> str:
        """A part of a page."""
        return self.parts.renderer.render(template, {"token": self.session.token, **values})

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A whole page."""
        told = {"path": self.request.url.path, "has_key": bool(self.session.key), "status": status, **values}
        return HTMLResponse(self.fragment(template, **told), status_code=status)


Page = Callable[[Visit], Awaitable[Response]]


def go_to(*parts: str) -> RedirectResponse:
    """Sends the browser on after a form; each part of the path is quoted."""
    return RedirectResponse("/" + "/".join(quote(part, safe="") for part in parts), status_code=303)
