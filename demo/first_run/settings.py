"""What the first run can be told, by variables that begin with FIRST_RUN_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.access.proof import Proof


class FirstRunSettings(BaseSettings):
    """Settings of `python -m demo.first_run`."""

    model_config = SettingsConfigDict(env_prefix="FIRST_RUN_", frozen=True, extra="forbid")

    ingest_address: str = Field("127.0.0.1:50051", description="host:port of ingest.")
    recommender_address: str = Field("127.0.0.1:50054", description="host:port of the recommender.")
    source_url: str = Field(
        "http://127.0.0.1:8080", description="The source that ingest reads; names a client to show."
    )
    tls_ca_file: Path | None = Field(None, description="Authorities of both services, PEM: turns TLS on.")
    api_key_file: Path | None = Field(None, description="File that holds a key that may operate.")

    @property
    def proof(self) -> Proof:
        """As a channel takes it."""
        return Proof(ca_file=self.tls_ca_file, api_key_file=self.api_key_file)
