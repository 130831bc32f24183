"""Settings from the environment (or files of secrets), read once in `__main__`, checked before a port opens."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlparse

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS_FOLDER = Path("/run/secrets/afin")
# Left empty, they would leave a door open that somebody meant to close.
CLOSING = ("API_KEYS_FILE", "TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CLIENT_CA_FILE")


def _checked_collector_url(url: str) -> str:
    parsed = urlparse(url)
    if parsed.scheme not in ("http", "https") or not parsed.hostname or url != f"{parsed.scheme}://{parsed.netloc}":
        raise ValueError("must be http://host:port or https://host:port")
    if "@" in parsed.netloc:
        raise ValueError("must hold no user or password; OTEL_EXPORTER_OTLP_HEADERS may tell who sends")
    return url


CollectorUrl = Annotated[str, AfterValidator(_checked_collector_url)]


class ProcessSettings(BaseSettings):
    """What every process that serves can be told."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on, for calls and for metrics.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of /metrics for Prometheus; 0 takes a free one.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR.")
    traces_url: CollectorUrl | None = Field(
        None, description="http://host:port or https://… of an OTLP collector (gRPC): sends it traces."
    )
    traces_share: float = Field(
        1,
        ge=0,
        le=1,
        description="Share of calls that are traced; who sends a traceparent has decided, and runs are always traced.",
    )


class ServiceSettings(ProcessSettings):
    """What every gRPC service can be told. A service's own class adds its fields and its prefix, e.g. WAREHOUSE_."""

    port: int = Field(0, ge=0, le=65535, description="gRPC port; 0 takes a free one and logs it.")
    drain_seconds: float = Field(20, ge=0, le=600, description="How long calls may still run after SIGTERM.")
    notice_seconds: float = Field(
        0.5,
        ge=0,
        le=60,
        description="How long calls are still taken after SIGTERM, which health tells; 0 where nobody watches it.",
    )
    max_calls: int = Field(
        1000,
        ge=1,
        description="Calls at work at once or in turn; more are told with RESOURCE_EXHAUSTED when to try again.",
    )
    max_connections: int = Field(5000, ge=1, description="Connections at once; more are closed.")
    connection_age_seconds: float = Field(
        1800, ge=1, le=86400, description="After which a connection is asked to come again, so that calls spread."
    )
    connection_grace_seconds: float = Field(
        3600, ge=0, le=86400, description="How long calls of such a connection may still run."
    )
    api_keys_file: Path | None = Field(None, description="Who may call what; without it everybody may do everything.")
    tls_cert_file: Path | None = Field(
        None, description="Certificate of this server with its chain, PEM: turns TLS on."
    )
    tls_key_file: Path | None = Field(None, description="Its unencrypted key, PEM.")
    tls_client_ca_file: Path | None = Field(
        None, description="Authorities, PEM: callers must show a certificate that one of them signed."
    )
    health_port: int | None = Field(
        None, ge=0, le=65535, description="Port that offers health alone, in plaintext: for probes where TLS is on."
    )
    reflection: bool = Field(
        True, description="Whether tools may ask for the protos (role read, where keys are asked for)."
    )

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        prefix = self.model_config.get("env_prefix", "")
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError(f"{prefix}TLS_CERT_FILE and {prefix}TLS_KEY_FILE go together")
        if self.tls_client_ca_file is not None and self.tls_cert_file is None:
            raise ValueError(f"{prefix}TLS_CLIENT_CA_FILE needs {prefix}TLS_CERT_FILE")
        return self


Settings = TypeVar("Settings", bound=BaseSettings)


def load_settings(kind: type[Settings], secrets_folder: Path = SECRETS_FOLDER) -> Settings:
    """Reads `kind` from the environment; on anything missing, wrong or unknown says so in one line and exits with 2.

    A secret may stand in a file of `secrets_folder` that is named like its variable, in lower case.
    """
    prefix = kind.model_config.get("env_prefix", "")
    try:
        _refuse_unknown(kind, prefix)
        _refuse_empty(prefix)
        secrets: dict[str, Any] = {"_secrets_dir": secrets_folder} if secrets_folder.is_dir() else {}
        return kind(**secrets)
    except ValidationError as error:
        problems = "; ".join(_problem(prefix, item["loc"], item["msg"]) for item in error.errors())
    except ValueError as error:
        problems = str(error)
    print(f"{prefix.rstrip('_').lower()}: wrong settings: {problems}", file=sys.stderr)
    raise SystemExit(2)


def _refuse_unknown(kind: type[BaseSettings], prefix: str) -> None:
    known = {f"{prefix}{name.upper()}" for name in kind.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(prefix) and name not in known)
    if prefix and unknown:
        raise ValueError(f"unknown: {', '.join(unknown)} (known: {', '.join(sorted(known))})")


def _refuse_empty(prefix: str) -> None:
    empty = [f"{prefix}{name}" for name in CLOSING if os.environ.get(f"{prefix}{name}") == ""]
    if empty:
        raise ValueError(f"empty: {', '.join(empty)} (name the file, or leave the variable out)")


def _problem(prefix: str, location: tuple[int | str, ...], message: str) -> str:
    place = ".".join(str(part) for part in location).upper()
    # What is wrong with several settings together names them itself.
    return f"{prefix}{place}: {message}" if place else message.removeprefix("Value error, ")


def cannot_listen(host: str, port: int) -> SystemExit:
    """What ends a process whose port is not to be had."""
    return SystemExit(f"cannot listen on {host}:{port}: the port is taken, or the address is not of this machine")
