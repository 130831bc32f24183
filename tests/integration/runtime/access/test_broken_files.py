"""Files of keys and certificates that are damaged anyhow are refused as such, and nothing worse comes of them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.runtime.access.bearer import read_key
from services.runtime.access.certificates import check_authorities, check_pair
from services.runtime.access.files import FollowedFiles
from services.runtime.access.keys import AccessFileError, line_of, make_key, parse_keys
from tests.integration.runtime.access.authority import DAY, Authority, Pair


@dataclass(frozen=True)
class Files:
    """Good ones, to be spoilt."""

    pair: Pair
    authority: Path
    keys: Path
    key: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    authority, key = Authority(folder, "ours"), make_key()
    (folder / "keys").write_text(line_of(key, "shop", "read"))
    (folder / "key").write_text(key)
    return Files(authority.issue("localhost"), authority.certificate, folder / "keys", folder / "key")


SPOILERS: list[Callable[[bytes, Random], bytes]] = [
    lambda good, random: b"",
    lambda good, random: random.randbytes(random.randrange(300)),
    lambda good, random: good[: random.randrange(len(good))],
    lambda good, random: good.replace(random.randbytes(1), random.randbytes(2)),
    lambda good, random: b"\xff\xfe" + good,
    lambda good, random: good + good,
]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_damaged_file_is_good_still_or_refused(files: Files, spoil: Callable[[bytes, Random], bytes]) -> None:
    random = Random(7)  # noqa: S311 - the same damage each time
    checks: dict[Path, Callable[[], object]] = {
        files.pair.certificate: lambda: check_pair(files.pair.certificate, files.pair.key),
        files.pair.key: lambda: check_pair(files.pair.certificate, files.pair.key),
        files.authority: lambda: check_authorities(files.authority),
        files.key: lambda: read_key(files.key),
        files.keys: lambda: parse_keys(files.keys.read_bytes().decode("utf-8", "replace")),
    }
    for path, check in checks.items():
        good = path.read_bytes()
        for _ in range(20):
            path.write_bytes(spoil(good, random))
            with suppress(AccessFileError):
                check()
        path.write_bytes(good)
        check()


def test_a_certificate_serves_the_side_that_it_was_made_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    server = authority.issue("localhost", uses=[ExtendedKeyUsageOID.SERVER_AUTH])
    caller = authority.issue("billing", uses=[ExtendedKeyUsageOID.CLIENT_AUTH])

    assert check_pair(server.certificate, server.key) > 0
    assert check_pair(caller.certificate, caller.key, of_caller=True) > 0
    for pair, of_caller in ((server, True), (caller, False)):
        with pytest.raises(AccessFileError, match="purpose"):
            check_pair(pair.certificate, pair.key, of_caller=of_caller)


def test_a_caller_s_certificate_that_has_expired_is_refused(tmp_path: Path) -> None:
    expired = Authority(tmp_path, "ours").issue("billing", expires_in=-DAY)
    with pytest.raises(AccessFileError, match="expired"):
        check_pair(expired.certificate, expired.key, of_caller=True)


def test_a_file_that_cannot_be_read_in_a_way_nobody_thought_of_leaves_the_last_good_one(tmp_path: Path) -> None:
    path = tmp_path / "number"
    path.write_text("1")
    followed = FollowedFiles("number", [path], lambda: int(path.read_text()))

    path.write_text("none")
    followed.look()
    assert followed.value == 1

    path.write_text("22")
    followed.look()
    assert followed.value == 22
