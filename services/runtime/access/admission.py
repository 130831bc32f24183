"""The question at the door of each call: who is this, and may they? Answered from memory, in a few microseconds.

Without a file of keys everybody may do everything, which is for one machine alone; the log says so at the start.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import Counter

from services.runtime.access.caller import ANYBODY
from services.runtime.access.keys import KeyRing, Principal
from services.runtime.access.roles import ADMIN, Rpc, Rpcs
from services.runtime.errors import PermissionDenied, Unauthenticated

SCHEME = "bearer "
NAMED_AFTER = "send `authorization: Bearer <key>`"
REFUSED = Counter("afin_auth_refused_total", "Calls refused at the door.", ["reason"])
for _reason in ("NO_KEY", "UNKNOWN_KEY", "EXPIRED_KEY", "ROLE_TOO_LOW"):
    REFUSED.labels(_reason)
IDENTITIES = ("x509_subject_alternative_name", "x509_common_name")


class Admission:
    """Lets calls in by the keys of the moment; `keys` gives None where nobody is asked for one."""

    def __init__(
        self, rpcs: dict[str, Rpcs], keys: Callable[[], KeyRing | None], now: Callable[[], float] = time.time
    ) -> None:
        self._rpcs = {f"/{service}/{name}": rpc for service, table in rpcs.items() for name, rpc in table.items()}
        self._keys = keys
        self._now = now

    def rpc(self, method: str) -> Rpc:
        """What `/service/Method` needs."""
        return self._rpcs.get(method, ADMIN)

    def admit(self, rpc: Rpc, request: object, context: Any) -> Principal:
        """The caller. Raises Unauthenticated or PermissionDenied. `context`: of either kind of server."""
        keys = self._keys()
        if keys is None:
            return ANYBODY
        try:
            caller = self._caller(keys, context)
            needed = rpc.needs(request)
            if caller.role < needed:
                raise PermissionDenied(
                    f"this needs the role {needed.name.lower()}, {caller.name} has {caller.role.name.lower()}; "
                    "use a key of that role",
                    reason="ROLE_TOO_LOW",
                    metadata={"needed": needed.name.lower(), "role": caller.role.name.lower()},
                )
        except (Unauthenticated, PermissionDenied) as error:
            REFUSED.labels(error.reason).inc()
            raise
        return caller

    def name(self, context: Any) -> str:
        """Who calls, for the record of a call that was refused; `unknown` where no key or certificate tells."""
        keys = self._keys()
        if keys is None:
            return ANYBODY.name
        try:
            return self._caller(keys, context).name
        except Unauthenticated:
            return "unknown"

    def _caller(self, keys: KeyRing, context: Any) -> Principal:
        header = _authorization(context.invocation_metadata())
        if header is not None:
            caller = keys.of_key(header[len(SCHEME) :]) if header[: len(SCHEME)].lower() == SCHEME else None
        elif keys.knows_certificates:
            caller = keys.of_certificate(_identities(context.auth_context()))
        else:
            caller = None
        if caller is None and header is None:
            raise Unauthenticated(f"no API key: {NAMED_AFTER}", reason="NO_KEY")
        if caller is None:
            raise Unauthenticated(f"unknown API key: {NAMED_AFTER}, with a key of this service", reason="UNKNOWN_KEY")
        if caller.expires_at <= self._now():
            raise Unauthenticated(f"the key of {caller.name} has expired; ask for a new one", reason="EXPIRED_KEY")
        return caller


def _authorization(metadata: Iterable[tuple[str, str | bytes]] | None) -> str | None:
    for name, value in metadata or ():
        if name == "authorization":
            return value if isinstance(value, str) else value.decode("latin-1")
    return None


def _identities(auth_context: dict[str, Iterable[bytes]]) -> Iterable[str]:
    return [value.decode("utf-8", "replace") for kind in IDENTITIES for value in auth_context.get(kind, ())]
