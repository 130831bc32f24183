"""What the live mode can be told, by variables that begin with LIVE_; its database is SOURCE_DATABASE_URL."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LiveSettings(BaseSettings):
    """Settings of `python -m demo.live`, beside those of the source."""

    model_config = SettingsConfigDict(env_prefix="LIVE_", frozen=True, extra="forbid")

    payments_per_second: float = Field(5, gt=0, le=1000, description="New and changed payments a second, together.")
    seed: int | None = Field(None, ge=0, description="Makes the choices repeatable; ids and times are always new.")
    seconds: float | None = Field(None, gt=0, description="Stops by itself after so long; otherwise it goes on.")
