"""What a training is given, and what it tells while it works: what the service and its child process exchange."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.contracts.bundle import LedgerPlace
from services.indexer.domain.model import Shape
from services.indexer.domain.payments import Payments


@dataclass(frozen=True, slots=True)
class Selection:
    """Which payments train: with one of these statuses, created at or after a moment, at most the newest `limit`."""

    statuses: tuple[str, ...] = ("paid",)
    created_since: datetime | None = None
    limit: int | None = None

    def parameters(self) -> dict[str, float | int | str]:
        """As a manifest records it."""
        return {
            "statuses": ",".join(self.statuses),
            "created_since": self.created_since.isoformat() if self.created_since else "",
            "max_training_payments": self.limit or "",
        }


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Payments in order, and who they are of, as of one moment.

    client_keys: uint64 (clients, 2), ascending; a client's number is its row. catalogue: a row a company that can be
    recommended, in order of company_code; a company's number is its row.
    """

    payments: Payments
    client_keys: NDArray[np.uint64]
    catalogue: pd.DataFrame
    watermark: datetime | None


@dataclass(frozen=True, slots=True)
class RowsRead:
    """What was read, in numbers; left_out: payments to companies that are not in the catalogue, beside the others.

    erasures: ids of those whose clients' payments are not among these any more. behind: None before the first load.
    """

    payments: int
    left_out: int
    companies: int
    watermark: datetime | None
    erasures: tuple[str, ...]
    behind: LedgerPlace | None


class Task(BaseModel):
    """What is to be trained, but for the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code_version: str
    watermark: AwareDatetime | None
    dimension: int = Field(ge=1)
    min_clients: int = Field(ge=1)
    seed: int = Field(ge=0)
    trees: int = Field(ge=1)
    list_scores: int = Field(ge=0, description="Of a client and a company: so many may be computed for lists ahead.")
    scheduler: str = Field("", description="Address of the Dask scheduler; empty: all work is done in one process.")
    parameters: dict[str, float | int | str] = Field(description="What else the manifest records.")

    @property
    def shape(self) -> Shape:
        """What the model needs to know of it."""
        return Shape(self.dimension, self.min_clients, self.seed)


class Stage(BaseModel):
    """A part of the work that ended, and what came of it, for a person; 0 where something is not measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    detail: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_mib: int = 0
