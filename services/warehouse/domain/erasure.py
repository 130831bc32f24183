"""The erasure of a client, who is known by a digest alone: SHA-256 of a salt and then the id in UTF-8."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from services.warehouse.domain.fields import WrongField, checked_epoch, checked_load_id

DIGEST_BYTES = hashlib.sha256().digest_size
SALT_BYTES = range(16, 257)


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Whose observations go: those created or updated by `created_until`, whichever was earlier.

    `leader_epoch`: under which leader of ingest; 0 for a call by hand.
    """

    erasure_id: str
    salt: bytes
    client_digest: bytes
    created_until: datetime
    leader_epoch: int = 0

    def check(self) -> None:
        """WrongField for what cannot name a client."""
        checked_load_id(self.erasure_id, "erasure_id")
        checked_epoch(self.leader_epoch)
        if len(self.salt) not in SALT_BYTES:
            raise WrongField("salt", f"must have {SALT_BYTES.start} to {SALT_BYTES.stop - 1} bytes")
        if len(self.client_digest) != DIGEST_BYTES:
            raise WrongField("client_digest", f"must be a SHA-256, {DIGEST_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed, all its repetitions together; the last of them was at `erased_at`.

    `by_this_call`: versions and confirmations that the last repetition removed.
    """

    versions: int
    confirmations: int
    erased_at: datetime
    by_this_call: int
