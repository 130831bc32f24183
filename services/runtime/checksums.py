"""SHA-256 as lower-case hex: what manifests hold and what is compared before any byte is used."""

import hashlib
from pathlib import Path

from services.runtime.errors import DataLoss

CHUNK_BYTES = 1024 * 1024


def sha256_of(content: bytes | Path) -> str:
    """Hex digest of bytes, or of a file without reading it whole into memory."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_sha256(content: bytes | Path, expected: str, key: str) -> None:
    """Raises DataLoss naming the object when its bytes are not those that were stored."""
    if sha256_of(content) != expected:
        raise DataLoss(
            f"object {key!r} does not have the SHA-256 that its manifest names; restore it", metadata={"key": key}
        )
