"""Documents that are found by listing, not by a checksum elsewhere: each carries the SHA-256 of its own content."""

import hashlib
from typing import Self

from pydantic import BaseModel, ConfigDict

HEAD, MIDDLE, TAIL = b'{"sha256": "', b'", "content":\n', b"\n}\n"
CONTENT_AT = len(HEAD) + 2 * hashlib.sha256().digest_size + len(MIDDLE)


class Sealed(BaseModel):
    """A frozen document that is stored as JSON: `{"sha256": …, "content": …}`.

    A field that it does not know is a later release's, and left out (docs/upgrades.md).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_bytes(self) -> bytes:
        """As it is stored."""
        return _seal(self.model_dump_json(indent=1).encode())

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """ValueError for bytes that are not wholly what `to_bytes` gave, before any of them is used."""
        content = stored[CONTENT_AT : -len(TAIL)]
        if _seal(content) != stored:
            raise ValueError("the content does not have the SHA-256 that stands beside it")
        return cls.model_validate_json(content)


def _seal(content: bytes) -> bytes:
    return HEAD + hashlib.sha256(content).hexdigest().encode() + MIDDLE + content + TAIL
