"""Profiles, and what of them is refused."""

from pathlib import Path

import pytest

from cli.ending import Failed, WrongUse
from cli.profiles import read_profile


def written(folder: Path, text: str) -> Path:
    (folder / "profiles.toml").write_text(text)
    return folder / "profiles.toml"


def test_without_a_file_the_usual_ports_of_this_machine_are_called(tmp_path: Path) -> None:
    found = read_profile(tmp_path / "none.toml", "")
    assert found.profile.address("ingest") == "127.0.0.1:50051"


def test_a_profile_has_a_host_and_an_address_apart(tmp_path: Path) -> None:
    path = written(tmp_path, '[prod]\nhost = "afin.example"\nindexer = "other:443"\nca_file = "ca.crt"\n')
    profile = read_profile(path, "prod").profile
    assert (profile.address("ingest"), profile.address("indexer")) == ("afin.example:50051", "other:443")
    assert profile.ca_file == tmp_path / "ca.crt"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[default]\nport = 1\n", "[default] port: "),
        ("host = 'x'\n", "'host' stands in no profile"),
        ("[default\n", "cannot be read"),
    ],
)
def test_what_is_wrong_in_it_is_told_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(WrongUse) as refused:
        read_profile(written(tmp_path, text), "")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_profile_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no profile 'test'; it has: prod"):
        read_profile(written(tmp_path, "[prod]\n"), "test")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "me.key").write_text("secret")
    (tmp_path / "me.key").chmod(0o644)
    target = read_profile(written(tmp_path, '[default]\napi_key_file = "me.key"\n'), "")
    with pytest.raises(Failed, match=r"mode 0644.*chmod 600"):
        target.proof()
    (tmp_path / "me.key").chmod(0o600)
    assert target.proof().api_key_file == tmp_path / "me.key"
