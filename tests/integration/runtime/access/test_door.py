"""What a server tells of its own door when it starts."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.runtime.access.door import open_door
from services.runtime.settings import ServiceSettings
from tests.integration.runtime.access.authority import Authority
from tests.integration.runtime.access.doors import keys_in


def warnings(**settings: Any) -> list[tuple[str, str]]:
    """What is told, by setting."""
    with capture_logs() as logs:
        open_door(ServiceSettings(**settings), {})
    return [(entry["event"], entry["setting"]) for entry in logs if "setting" in entry]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_on_this_machine_alone_an_open_door_is_no_news(host: str) -> None:
    assert warnings(host=host) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "10.0.0.7", "afin.example"])
def test_towards_others_an_open_door_is_told(host: str) -> None:
    assert warnings(host=host) == [("every caller may do everything", "API_KEYS_FILE")]


def test_keys_that_travel_unencrypted_are_told(tmp_path: Path) -> None:
    keys_in(tmp_path / "keys")
    pair = Authority(tmp_path, "ours").issue("localhost")
    tls = {"tls_cert_file": pair.certificate, "tls_key_file": pair.key}

    assert warnings(host="0.0.0.0", api_keys_file=tmp_path / "keys") == [
        ("API keys travel unencrypted", "TLS_CERT_FILE")
    ]
    assert warnings(host="0.0.0.0", api_keys_file=tmp_path / "keys", **tls) == []


def test_keys_that_others_may_change_are_told(tmp_path: Path) -> None:
    keys_in(tmp_path / "keys")
    (tmp_path / "keys").chmod(0o666)

    with capture_logs() as logs:
        open_door(ServiceSettings(api_keys_file=tmp_path / "keys"), {})

    assert [(entry["event"], entry["mode"]) for entry in logs] == [("file is open to others", "0666")]
