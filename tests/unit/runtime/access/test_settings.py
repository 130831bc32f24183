"""Settings of TLS that contradict each other are told by their names."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.runtime.access.proof import Proof
from services.runtime.peers import CallingSettings

PEM = Path("a.pem")


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"tls_cert_file": PEM}, "TLS_CERT_FILE and TLS_KEY_FILE go together"),
        ({"tls_key_file": PEM}, "TLS_CERT_FILE and TLS_KEY_FILE go together"),
        ({"tls_client_ca_file": PEM}, "TLS_CLIENT_CA_FILE needs TLS_CERT_FILE"),
        ({"peers_tls_cert_file": PEM, "peers_tls_ca_file": PEM}, "PEERS_TLS_CERT_FILE and PEERS_TLS_KEY_FILE go"),
        ({"peers_tls_cert_file": PEM, "peers_tls_key_file": PEM}, "PEERS_TLS_CERT_FILE needs PEERS_TLS_CA_FILE"),
        ({"health_port": 65536}, "health_port"),
    ],
)
def test_what_does_not_go_together_is_refused(told: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        CallingSettings(**told)


def test_without_settings_calls_are_plain() -> None:
    assert CallingSettings().proof == Proof()
    assert CallingSettings().proof.channel_credentials() is None
