"""A session is a sealed cookie: the API key that a person entered, and a random token that forms must repeat.

It is encrypted and authenticated (Fernet: AES-CBC and HMAC-SHA-256, https://github.com/fernet/spec), so that what a
browser keeps on its disk is of no use elsewhere, and no replica has to remember anybody.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken


@dataclass(frozen=True, slots=True)
class Session:
    """`key`: empty where none was entered; `token`: what each form of this session carries."""

    key: str
    token: str

    def allows(self, token: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.token.encode(), token.encode())


class SessionSeal:
    """Makes cookies of sessions, and sessions of cookies."""

    def __init__(self, secret: str | None, lasting: timedelta) -> None:
        chosen = secret or secrets.token_urlsafe(32)
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(chosen.encode()).digest()))
        self._lasting = lasting

    def begin(self, key: str = "") -> Session:
        """A new session."""
        return Session(key, secrets.token_urlsafe(24))

    def seal(self, session: Session) -> str:
        """As a cookie's value."""
        content = json.dumps({"key": session.key, "token": session.token})
        return self._fernet.encrypt(content.encode()).decode()

    def open(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None for one that is not ours or has ended."""
        if not cookie:
            return None
        try:
            content = json.loads(self._fernet.decrypt(cookie, ttl=int(self._lasting.total_seconds())))
        except (InvalidToken, ValueError):  # ValueError: it is not even ASCII
            return None
        return Session(content["key"], content["token"])
