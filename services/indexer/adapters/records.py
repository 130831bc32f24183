"""Small objects of JSON: none vouches for their checksum, so a damaged one is told by its key."""

from typing import TypeVar

from services.contracts.stored import Stored
from services.runtime.errors import DataLoss

Record = TypeVar("Record", bound=Stored)


def record(kind: type[Record], content: bytes, key: str) -> Record:
    """What was stored under `key`; DataLoss when it is something else."""
    try:
        return kind.from_bytes(content, key)
    except ValueError as error:
        raise DataLoss(f"{error}; restore it, or delete it", metadata={"key": key}) from error
