"""What the console can be told."""

import pytest
from pydantic import ValidationError

from console.settings import ConsoleSettings

ADDRESSES = {f"{name}_address": f"{name}:1" for name in ("ingest", "warehouse", "indexer", "recommender")}


def test_it_answers_to_this_machine_and_to_its_public_name() -> None:
    settings = ConsoleSettings(**ADDRESSES, public_url="https://Afin.example:8443/")  # type: ignore[arg-type]

    assert settings.known_hosts == {"localhost", "127.0.0.1", "[::1]", "afin.example"}
    assert settings.is_secure


def test_hosts_are_separated_by_commas() -> None:
    assert ConsoleSettings(**ADDRESSES, hosts="a.example, b.example").known_hosts == {"a.example", "b.example"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"tls_cert_file": "/a"},
        {"session_secret": "short"},
        {"public_url": "afin.example"},
        {"ingest_address": "ingest"},
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ConsoleSettings(**{**ADDRESSES, **wrong})  # type: ignore[arg-type]


def test_by_https_the_cookie_is_one_that_no_neighbour_can_plant() -> None:
    assert ConsoleSettings(**ADDRESSES).session_cookie == "afin_session"  # type: ignore[arg-type]
    secure = ConsoleSettings(**ADDRESSES, public_url="https://afin.example")  # type: ignore[arg-type]
    assert secure.session_cookie == "__Host-afin_session"
