"""How a process calls services of ours: further settings of its own, and the channels that they give."""

from pathlib import Path
from typing import Self

import grpc
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from services.runtime.access.keys import AccessFileError
from services.runtime.access.proof import Proof
from services.runtime.channels import open_channel
from services.runtime.run_ids import run_id_interceptors
from services.runtime.settings import ServiceSettings
from services.runtime.tracing.calls import client_interceptors
from services.runtime.tracing.spans import is_traced


class PeerSettings(BaseSettings):
    """Whom it trusts, and what it shows of itself."""

    peers_tls_ca_file: Path | None = Field(
        None, description="Authorities of the services it calls, PEM: turns TLS on for these calls."
    )
    peers_tls_cert_file: Path | None = Field(None, description="Its own certificate for them, where they ask for one.")
    peers_tls_key_file: Path | None = Field(None, description="Its key.")

    @property
    def proof(self) -> Proof:
        """As a channel takes it."""
        return Proof(self.peers_tls_ca_file, self.peers_tls_cert_file, self.peers_tls_key_file)

    @model_validator(mode="after")
    def _own_certificate_goes_with_tls(self) -> Self:
        prefix = self.model_config.get("env_prefix", "")
        if (self.peers_tls_cert_file is None) != (self.peers_tls_key_file is None):
            raise ValueError(f"{prefix}PEERS_TLS_CERT_FILE and {prefix}PEERS_TLS_KEY_FILE go together")
        if self.peers_tls_cert_file is not None and self.peers_tls_ca_file is None:
            raise ValueError(f"{prefix}PEERS_TLS_CERT_FILE needs {prefix}PEERS_TLS_CA_FILE")
        return self


class CallingSettings(ServiceSettings, PeerSettings):
    """Of a service that calls others in its own name, beside what every service can be told."""

    peers_api_key_file: Path | None = Field(None, description="File that holds the API key it calls them with.")

    @property
    def proof(self) -> Proof:
        """As a channel takes it."""
        return Proof(self.peers_tls_ca_file, self.peers_tls_cert_file, self.peers_tls_key_file, self.peers_api_key_file)


def open_peer(address: str, settings: PeerSettings, service: str) -> grpc.aio.Channel:
    """A channel to another service of ours, by its full name, that tells it of the run and the trace of each call.

    SystemExit, in a line, for files that cannot be used.
    """
    traced = client_interceptors() if is_traced() else ()
    try:
        return open_channel(address, settings.proof, service, (*traced, *run_id_interceptors()))
    except AccessFileError as error:
        raise SystemExit(f"access: {error}") from None
