"""Receipts: what the warehouse's ledger says of a load, kept in the lake beside the manifest that was loaded.

    raw/<dataset>/updated_date=…/run=<run id>/receipt-<generation>.json

With manifests and receipts alone the warehouse can be built again. Of several generations the highest counts: a later
one tells what became of the load since. Written once, if absent, like all objects.
"""

import re
from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.lake import Dataset
from services.contracts.sealed import Sealed

# The first receipt of a load, and of a load of companies the one that has `update_sequence`.
LOADED, UPDATED = 0, 1
NAME = re.compile(r"(?P<folder>.+)/receipt-(?P<generation>[0-9]{1,9})\.json")


class Receipt(Sealed):
    """A committed load. Loads are serialised: `sequence` is the order in which they were applied, from 1, no gaps.

    `update_sequence`: the place in the same order at which RecordCompaniesUpdate followed; None where it did not.
    `watermark`: that of the dataset after the load; None where none was ever set.
    """

    schema_version: Literal[1] = 1
    load_id: str
    dataset: Dataset
    manifest_key: str
    manifest_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    sequence: int = Field(ge=1)
    update_sequence: int | None = Field(None, ge=2)
    new: int = Field(ge=0)
    changed: int = Field(ge=0)
    unchanged: int = Field(ge=0)
    late: int = Field(ge=0)
    retired: int = Field(ge=0)
    watermark: AwareDatetime | None
    committed_at: AwareDatetime


def receipt_key(manifest_key: str, generation: int) -> str:
    """The key of a receipt, beside its manifest."""
    return f"{manifest_key.rpartition('/')[0]}/receipt-{generation}.json"


def receipt_place(key: str) -> tuple[str, int] | None:
    """The folder and the generation of a receipt's key; None for any other key."""
    found = NAME.fullmatch(key)
    return (found["folder"], int(found["generation"])) if found else None
