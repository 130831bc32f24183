"""`afin key new`: what it shows and what it writes."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from services.runtime.access.bearer import read_key
from services.runtime.access.keys import parse_keys
from services.runtime.access.roles import Role


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["key", "new", *arguments])


def test_it_shows_a_key_and_the_line_that_lets_it_in() -> None:
    key, line = run("--name", "shop", "--role", "operate").stdout.splitlines()

    found = parse_keys(line).of_key(key)
    assert found is not None
    assert (found.name, found.role, found.expires_at) == ("shop", Role.OPERATE, float("inf"))


def test_it_writes_both_to_files_and_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# ours")

    done = run("--name", "shop", "--key-file", str(tmp_path / "key"), "--keys-file", str(tmp_path / "keys"))

    assert (done.exit_code, done.stdout) == (0, "")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert parse_keys((tmp_path / "keys").read_text()).of_key(read_key(tmp_path / "key")) is not None


def test_a_key_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("precious")

    done = run("--name", "shop", "--key-file", str(tmp_path / "key"), "--keys-file", str(tmp_path / "keys"))

    assert (done.exit_code, (tmp_path / "key").read_text()) == (1, "precious")
    assert not (tmp_path / "keys").exists()


def test_a_key_may_expire() -> None:
    key, line = run("--name", "shop", "--days", "1").stdout.splitlines()

    found = parse_keys(line).of_key(key)
    assert found is not None
    assert found.expires_at < float("inf")


@pytest.mark.parametrize("arguments", [("--name", "the shop"), ("--name", "shop", "--role", "root")])
def test_a_wrong_name_or_role_makes_no_key(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "read, operate, admin" in done.stderr
