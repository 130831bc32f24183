"""The file of API keys: one JSON object a line, `#` begins a comment.

    {"name": "shop", "role": "read", "sha256": "<64 hex digits>", "expires_at": "2027-01-31T00:00:00Z"}
    {"name": "billing", "role": "operate", "certificate": "billing.example"}

A key is 256 random bits, so a plain SHA-256 of it can be neither reversed nor guessed: slow hashes (bcrypt, argon2)
protect what people choose, and would cost each call a tenth of a second. Several keys of one name are valid at once,
which is how a key is changed. A certificate is named by a subject alternative name, or by its common name.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.runtime.access.roles import ROLE_NAMES, Role

KEY_PREFIX = "afin_"
KEY_BYTES = 32
# More than any key of ours; a longer one is nobody's, and is not hashed.
MAX_KEY_LENGTH = 200
MAX_LINES = 10_000


class AccessFileError(ValueError):
    """A file of keys or certificates is not what it must be: which, where, and what to do."""


class KeyLine(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
    role: Literal["read", "operate", "admin"]
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    certificate: str | None = Field(None, min_length=1, max_length=256)
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _names_one_proof(self) -> Self:
        if (self.sha256 is None) == (self.certificate is None):
            raise ValueError("give either sha256 or certificate")
        return self


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the name that audit tells, what it may do, and until when (seconds since 1970)."""

    name: str
    role: Role
    expires_at: float


class KeyRing:
    """Everybody who is known, found by key or by certificate."""

    def __init__(self, lines: Iterable[KeyLine]) -> None:
        self._by_digest: dict[bytes, Principal] = {}
        self._by_certificate: dict[str, Principal] = {}
        for line in lines:
            if line.sha256 is not None:
                self._by_digest[bytes.fromhex(line.sha256)] = _principal(line)
            elif line.certificate is not None:
                self._by_certificate[line.certificate] = _principal(line)

    def of_key(self, key: str) -> Principal | None:
        """Whose key this is. What is looked up is its digest: how long that takes tells nothing of the key."""
        if len(key) > MAX_KEY_LENGTH:
            return None
        return self._by_digest.get(hashlib.sha256(key.encode()).digest())

    def of_certificate(self, identities: Iterable[str]) -> Principal | None:
        """Who the first of the identities is that is known."""
        known = (self._by_certificate.get(identity) for identity in identities)
        return next((principal for principal in known if principal is not None), None)

    @property
    def knows_certificates(self) -> bool:
        """Whether certificates need to be looked at."""
        return bool(self._by_certificate)

    def __len__(self) -> int:
        return len(self._by_digest) + len(self._by_certificate)


def parse_keys(text: str) -> KeyRing:
    """The keys of a file. Raises AccessFileError with the number of the first wrong line, not what it holds."""
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise AccessFileError(f"has {len(lines)} lines; at most {MAX_LINES} are read")
    told = {number: line.strip() for number, line in enumerate(lines, 1)}
    parsed = [_parse_line(number, line) for number, line in told.items() if line and not line.startswith("#")]
    proofs = [line.sha256 or line.certificate for line in parsed]
    if len(set(proofs)) < len(proofs):
        raise AccessFileError("holds the same key or certificate twice; leave one of the lines")
    if not parsed:
        raise AccessFileError("holds no key; make one with `afin key new`")
    return KeyRing(parsed)


def make_key() -> str:
    """A new random key."""
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def line_of(key: str, name: str, role: str, expires_at: datetime | None = None) -> str:
    """The line of the file that lets the key in. Raises ValidationError for a name or role that the file refuses."""
    told: dict[str, Any] = {"name": name, "role": role, "sha256": hashlib.sha256(key.encode()).hexdigest()}
    if expires_at is not None:
        told["expires_at"] = expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    KeyLine.model_validate(told)
    return json.dumps(told)


def _parse_line(number: int, line: str) -> KeyLine:
    try:
        return KeyLine.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part in KeyLine.model_fields)
        problem = "must be one JSON object" if first["type"] == "json_invalid" else first["msg"]
        told = f"{place}: {problem}" if place else problem
        raise AccessFileError(f"line {number}: {told}") from None


def _principal(line: KeyLine) -> Principal:
    expires_at = line.expires_at.timestamp() if line.expires_at is not None else float("inf")
    return Principal(line.name, ROLE_NAMES[line.role], expires_at)
