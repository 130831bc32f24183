"""What the indexer can be told, as INDEXER_…"""

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, DirectoryPath, Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from services.runtime.database import DatabaseUrl
from services.runtime.objects.opening import StoreUrl
from services.runtime.settings import ServiceSettings


class IndexerSettings(ServiceSettings):
    """Beside what every service can be told."""

    model_config = SettingsConfigDict(env_prefix="INDEXER_", frozen=True, extra="forbid")

    database_url: DatabaseUrl = Field(description="postgresql://user:password@host:port/database")
    object_store_url: StoreUrl = Field(
        description="s3://bucket[/prefix] or file:///absolute/folder: where the index lies."
    )
    object_store_endpoint_url: str | None = Field(
        None, pattern="^https?://", description="Address of an S3 server other than AWS."
    )
    statuses: Annotated[tuple[str, ...], NoDecode] = Field(
        ("paid",), min_length=1, description="Payments with these statuses train; separated by commas."
    )
    created_since: AwareDatetime | None = Field(
        None, description="Payments created before this do not train; e.g. 2026-01-31T00:00:00Z."
    )
    max_training_payments: int | None = Field(None, ge=1, description="At most so many train: the newest.")
    dimension: int = Field(128, ge=1, le=1024, description="Most factors of a company; vectors have one number more.")
    trees: int = Field(50, ge=1, le=1000, description="Trees of the Annoy index: more find more and take more space.")
    list_scores: int = Field(
        5_000_000_000, ge=0, description="Scores (clients x companies) that a build computes for lists made ahead."
    )
    min_clients: int = Field(2, ge=1, description="Companies with fewer distinct clients are not indexed.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of the decomposition, the Annoy index and samples.")
    engine: Literal["local", "dask"] = Field(
        "local", description="Who does the work of a build that can be shared out: one process, or a Dask cluster."
    )
    dask_scheduler: str = Field(
        "", pattern=r"^((tcp|tls)://[^:/]+:\d+)?$", description="tcp://host:port of the cluster's scheduler, or tls://…"
    )
    min_gain: float = Field(
        0.0, ge=-1, le=1, description="NDCG@10 for new companies above popularity's must exceed it."
    )
    quality_tolerance: float = Field(
        0.1, ge=0, le=1, description="How much less NDCG@10 than the version in service may be published, as a share."
    )
    max_loss: float = Field(
        0.2, ge=0, le=1, description="Share of its payments, clients or companies that the next version may lack."
    )
    min_overlap: float = Field(
        0.2, ge=0, le=1, description="Share of a client's ten recommendations that the next version must give as well."
    )
    keep_versions: int = Field(10, ge=1, le=1000, description="How many of the newest index versions are kept.")
    keep_days: float = Field(
        7, ge=0, le=3650, description="Versions that were in service within so many days are kept, too."
    )
    search: Literal["annoy", "measured"] = Field(
        "annoy", description="Search by Annoy, or, if measured, exactly where a validation finds that quicker."
    )
    fresh_clients: int = Field(
        100_000, ge=0, description="Clients whose newest payments are told between builds, at most; the rest wait."
    )
    work_folder: DirectoryPath = Field(
        default_factory=lambda: Path(tempfile.gettempdir()),
        description="For temporary files of builds and validations.",
    )
    validation_timeout_seconds: float = Field(300, gt=0, le=3600, description="How long an inspection may take.")

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if self.engine == "dask" and not self.dask_scheduler:
            raise ValueError("INDEXER_ENGINE=dask needs INDEXER_DASK_SCHEDULER")
        if self.engine == "dask" and find_spec("distributed") is None:
            raise ValueError("INDEXER_ENGINE=dask needs the package distributed: install afin[dask], or use afin/dask")
        return self

    @field_validator("statuses", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
