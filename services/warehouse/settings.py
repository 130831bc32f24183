"""What the warehouse can be told, as WAREHOUSE_…."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.database import DatabaseUrl
from services.runtime.objects.opening import StoreUrl
from services.runtime.settings import ServiceSettings


class WarehouseSettings(ServiceSettings):
    """Wrong ones are told in one line, before a port opens."""

    model_config = SettingsConfigDict(env_prefix="WAREHOUSE_", frozen=True, extra="forbid")

    database_url: DatabaseUrl = Field(description="postgresql://user:password@host:port/database")
    object_store_url: StoreUrl = Field(
        description="s3://bucket[/prefix] or file:///absolute/folder: where the lake lies."
    )
    object_store_endpoint_url: str | None = Field(
        None, pattern="^https?://", description="Address of an S3 server other than AWS."
    )
    min_catalogue_share: float = Field(
        0.9, ge=0, le=1, description="A catalogue without this share of the companies now active is refused."
    )
    load_timeout_seconds: float = Field(600, gt=0, le=86400, description="Within which a load must be done.")
    read_timeout_seconds: float = Field(20, gt=0, le=3600, description="Within which a question must be answered.")
    database_connections: int = Field(
        5, ge=2, le=100, description="Connections to PostgreSQL at most, one of them for health."
    )
