"""What the console can be told, as CONSOLE_…"""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from services.runtime.peers import PeerSettings
from services.runtime.settings import ProcessSettings

Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\-_\[\]:]+:[0-9]{1,5}$")]


class ConsoleSettings(ProcessSettings, PeerSettings):
    """Beside what every process can be told, and how it knows the services."""

    model_config = SettingsConfigDict(env_prefix="CONSOLE_", frozen=True, extra="forbid")

    port: int = Field(8090, ge=0, le=65535, description="HTTP port; 0 takes a free one and logs it.")
    ingest_address: Address = Field(description="host:port of ingest.")
    warehouse_address: Address = Field(description="host:port of the warehouse.")
    indexer_address: Address = Field(description="host:port of the indexer.")
    recommender_address: Address = Field(description="host:port of the recommender.")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Names that browsers may call it by, separated by commas; others are refused.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+/?$",
        description="Where people reach it, when that is behind something else, e.g. https://afin.example.",
    )
    session_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Seals sessions; the same for all replicas. Without it sessions end with the process.",
    )
    session_hours: float = Field(12, gt=0, le=720, description="After which a key has to be entered again.")
    call_seconds: float = Field(10, gt=0, le=600, description="How long a page waits for a service.")
    max_connections: int = Field(200, ge=1, le=10_000, description="Connections at once; more are told 503.")
    tls_cert_file: Path | None = Field(None, description="Certificate with its chain, PEM: turns TLS on.")
    tls_key_file: Path | None = Field(None, description="Its unencrypted key, PEM.")

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """Both files, or None for plaintext."""
        if self.tls_cert_file is None or self.tls_key_file is None:
            return None
        return self.tls_cert_file, self.tls_key_file

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by https, so that the cookie may travel so alone."""
        return self.certificate is not None or (self.public_url or "").startswith("https://")

    @property
    def session_cookie(self) -> str:
        """Its name. By https one that browsers take from this host alone: no neighbour's page can plant another."""
        return "__Host-afin_session" if self.is_secure else "afin_session"

    @property
    def known_hosts(self) -> frozenset[str]:
        """Host names, without port, that a request may be addressed to."""
        named = {urlsplit(self.public_url).hostname or ""} if self.public_url else set()
        return frozenset(name.lower() for name in {*self.hosts, *named} if name)

    @field_validator("hosts", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("CONSOLE_TLS_CERT_FILE and CONSOLE_TLS_KEY_FILE go together")
        return self
