"""What the lake remembers of erasures, so that the rows of erased clients stay out whatever becomes of the database.

erasures/salt.json
erasures/<erasure id>.json
"""

from pydantic import AwareDatetime, Field

from services.contracts.sealed import Sealed

PREFIX = "erasures/"
SALT_KEY = f"{PREFIX}salt.json"
SALT_BYTES = 32


class ErasureSalt(Sealed):
    """Made once, at random; a client's digest is the SHA-256 of it and then the id. Hex."""

    salt: str = Field(pattern="^[0-9a-f]{64}$")


class ErasureRecord(Sealed):
    """Whom an erasure is of, as a digest in hex; `until`: rows created or updated later are not meant."""

    erasure_id: str
    client_digest: str = Field(pattern="^[0-9a-f]{64}$")
    until: AwareDatetime


def record_key(erasure_id: str) -> str:
    """The key of an erasure's record."""
    return f"{PREFIX}{erasure_id}.json"
