"""What the source API can be told, by environment variables that begin with SOURCE_."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SourceSettings(BaseSettings):
    """Settings of `python -m demo.source`; the database is also what `python -m demo.live` writes to."""

    model_config = SettingsConfigDict(env_prefix="SOURCE_", frozen=True, extra="forbid")

    database_url: SecretStr = Field(
        description="postgresql://user:password@host:port/database, or ?host=/socket/folder."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="HTTP port; 0 takes a free one and logs it.")
    max_limit: int = Field(5000, ge=1, le=100_000, description="Rows that one page holds at most, whatever was asked.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("database_url")
    @classmethod
    def _must_be_postgresql(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return url
