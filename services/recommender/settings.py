"""What the recommender can be told, as RECOMMENDER_…. It needs no database."""

import tempfile
from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.checksums import sha256_of
from services.runtime.objects.opening import StoreUrl
from services.runtime.settings import ServiceSettings


class RecommenderSettings(ServiceSettings):
    """Wrong ones are told in one line, before a port opens."""

    model_config = SettingsConfigDict(env_prefix="RECOMMENDER_", frozen=True, extra="forbid")

    object_store_url: StoreUrl = Field(
        description="s3://bucket[/prefix] or file:///absolute/folder: where the index lies."
    )
    object_store_endpoint_url: str | None = Field(
        None, pattern="^https?://", description="Address of an S3 server other than AWS."
    )
    cache_folder: Path | None = Field(
        None,
        description="For index versions of this store, three at most; without it, below the temporary folder.",
    )
    reload_seconds: float = Field(5, gt=0, le=3600, description="Between two looks for a newer published index.")
    processes: int = Field(1, ge=1, le=64, description="Processes that share the port; one a core makes use of all.")
    connection_grace_seconds: float = Field(
        60, ge=0, le=86400, description="How long calls of a connection that is too old may still run."
    )
    max_per_category: int = Field(
        0, ge=0, le=100, description="Companies of one category in a list, unless a request says it; 0 for any number."
    )

    @property
    def cache(self) -> Path:
        """`cache_folder`, or one that recommenders of other stores on this machine do not share."""
        store = sha256_of(f"{self.object_store_endpoint_url} {self.object_store_url}".encode())
        return self.cache_folder or Path(tempfile.gettempdir()) / f"afin-recommender-{store[:12]}"

    @property
    def reload_interval(self) -> timedelta:
        """`reload_seconds` as a duration."""
        return timedelta(seconds=self.reload_seconds)
